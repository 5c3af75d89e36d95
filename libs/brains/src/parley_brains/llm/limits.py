"""How long a turn's requests may take, and how many there may be."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

MOST_ROUNDS = 6
"""Requests to a model for one turn that its tools and its answer may take, besides those tried again."""

MOST_TOOL_CALLS = 12
"""Calls of tools in one turn."""

LONGEST_WAIT_S = 5.0
"""A server that wants to be left alone for longer is not asked again in this turn."""

LEAST_S = 1.0
"""No request is begun with less time than this."""

_SPARE_S = 2.0
_PAUSE_S = (0.2, 0.8)


def time_limit(within_s: float) -> float:
    """Seconds for all requests of a turn, so that its failure is known before the whole turn is given up."""
    return max(within_s - _SPARE_S, within_s * 0.8)


def pause(after_s: float | None) -> float | None:
    """How long to wait before the second try; None for no second try."""
    if after_s is None:
        return random.uniform(*_PAUSE_S)  # noqa: S311 - not a secret, only spread out
    return after_s if after_s <= LONGEST_WAIT_S else None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The time of one turn. ``total_s``: of all requests, ``request_s``: of one request at most."""

    ends_at: float
    total_s: float
    request_s: float

    @classmethod
    def starting_now(cls, *, within_s: float, request_s: float) -> Budget:
        """The budget of a turn that must be answered within so many seconds."""
        total_s = time_limit(within_s)
        return cls(ends_at=asyncio.get_running_loop().time() + total_s, total_s=total_s, request_s=request_s)

    @property
    def left_s(self) -> float:
        """Seconds until the turn is given up."""
        return self.ends_at - asyncio.get_running_loop().time()

    @property
    def for_request_s(self) -> float:
        """Seconds that the next request may take."""
        return max(min(self.request_s, self.left_s), LEAST_S)
