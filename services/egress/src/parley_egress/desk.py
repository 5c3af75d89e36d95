"""A sender's desk: parts queue here for a slot of the sender's rate, replies before what can wait.

One process owns a sender, so the rate is exact without asking anybody.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from enum import IntEnum

from parley_common.doorbells import Busy
from parley_egress.rate import new_owner


class Priority(IntEnum):
    """Who goes first when several wait."""

    REPLY = 0


class Desk:
    """Hands out slots of one sender's rate."""

    def __init__(self, segments_per_s: float) -> None:
        self._bucket = new_owner(segments_per_s, time.monotonic())
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._serving: asyncio.Task[None] | None = None

    async def slot(self, priority: Priority, segments: int) -> None:
        """Returns when it is this part's turn; its segments are then taken. Raises ``Busy``."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), segments, granted))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        await granted

    def close(self) -> None:
        """Grants nothing more: whoever waits is told ``Busy``."""
        if self._serving is not None:
            self._serving.cancel()
        for *_, granted in self._waiting:
            if not granted.done():
                granted.set_exception(Busy())

    async def _serve(self) -> None:
        while self._waiting:
            wait_s = self._bucket.wait_s(time.monotonic())
            if wait_s:
                await asyncio.sleep(wait_s)
                continue
            _, _, segments, granted = heapq.heappop(self._waiting)
            if not granted.done():
                self._bucket = self._bucket.take(segments, time.monotonic())
                granted.set_result(None)
        self._serving = None
