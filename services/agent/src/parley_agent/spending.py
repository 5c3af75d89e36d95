"""What a model took for one turn, however often it was asked and whatever became of its answers."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from parley_agent.allowance import after_tokens
from parley_common.events import Tally, Usage


class Spent:
    """Adds up. ``unwritten``: tokens that no tally in the conversation's chain counts yet."""

    def __init__(self, unwritten: int = 0) -> None:
        self.unwritten = unwritten
        self.usage: Usage | None = None
        self._is_told = False

    def begin(self) -> None:
        """The brain is asked, perhaps once more."""
        self._is_told = False

    def add(self, usage: Usage) -> None:
        """A model took this."""
        self._is_told = True
        self.unwritten += usage.input_tokens + usage.output_tokens
        known = self.usage
        if known is not None:
            usage = msgspec.structs.replace(
                usage,
                input_tokens=known.input_tokens + usage.input_tokens,
                output_tokens=known.output_tokens + usage.output_tokens,
            )
        self.usage = usage

    def settle(self, usage: Usage | None) -> None:
        """What the brain says in the end that it took; it counts where nothing was told on the way."""
        if usage is not None and not self._is_told:
            self.add(usage)

    def counted(self, tally: Tally) -> Tally:
        """The tally of the chain with what it does not count yet."""
        return after_tokens(tally, datetime.now(UTC), self.unwritten) if self.unwritten else tally

    def written(self) -> None:
        """A tally that counts all of it is in the chain."""
        self.unwritten = 0
