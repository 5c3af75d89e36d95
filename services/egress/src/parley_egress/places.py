"""How many requests may be with one Twilio account at once: fewer after a 20429, slowly more while all goes well.

Twilio publishes no number; its 20429 is the only way to learn that it is reached.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from types import TracebackType

_CUT_EVERY_S = 1.0
"""All the 20429 of one moment are one sign."""


class Places:
    """The account's places, at most ``most``; use as an async context manager around a request."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._used = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._cut_at_s = float("-inf")

    @property
    def limit(self) -> int:
        """How many there are now."""
        return int(self._limit)

    async def __aenter__(self) -> None:
        while self._used >= self.limit:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._call_next()
                raise
        self._used += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._used -= 1
        self._call_next()

    def throttled(self) -> None:
        """Twilio said 20429: half of what was in use is enough for now."""
        now_s = time.monotonic()
        if now_s - self._cut_at_s >= _CUT_EVERY_S:
            self._cut_at_s = now_s
            self._limit = max(1.0, min(self._limit, self._used) / 2)

    def succeeded(self) -> None:
        """Twilio took one: about one more place for each round of all."""
        self._limit = min(float(self._most), self._limit + 1.0 / self._limit)
        self._call_next()

    def _call_next(self) -> None:
        while self._waiting and self._used < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
