"""What a brain is: given a turn, it says what to answer. It knows neither broker nor Twilio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from parley_common.events import InboundMessage


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a person wrote and nobody has answered yet.

    ``key`` is the same however often the turn is tried: an idempotency key for whatever the brain calls.
    ``is_first``: this person was never answered before.
    """

    key: str
    texts: tuple[InboundMessage, ...]
    is_first: bool

    @property
    def text(self) -> str:
        """All of it, one text a line."""
        return "\n".join(text.body for text in self.texts if text.body)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said without asking the brain; nothing is said where it is empty.

    ``failure``: the brain failed. ``apology``: the texts are too old to be answered. ``capped``: no more answers
    today.
    """

    failure: str
    apology: str = ""
    capped: str = ""


class Brain(Protocol):
    """Answers turns. ``acts``: asking costs money or does something, so each attempt is recorded first."""

    acts: bool
    words: Words

    async def answer(self, turn: Turn) -> tuple[str, ...]:
        """The answer's messages in Markdown; none where there is nothing to say."""
