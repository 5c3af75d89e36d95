"""A time limit that stands still while one waits for a place, since how long that takes is others' doing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Patience:
    """What is left of one thing's own time."""

    def __init__(self, limit: asyncio.Timeout) -> None:
        self._limit = limit

    @asynccontextmanager
    async def place(self, places: asyncio.Semaphore) -> AsyncIterator[None]:
        """A place for as long as the block runs; only from then on is the time counted again."""
        clock = asyncio.get_running_loop().time
        left_s = max(0.0, (self._limit.when() or 0.0) - clock())
        self._limit.reschedule(None)
        async with places:
            self._limit.reschedule(clock() + left_s)
            yield


@asynccontextmanager
async def patience(within_s: float) -> AsyncIterator[Patience]:
    """So many seconds for one thing's own work. Raises ``TimeoutError`` from its block once they are over."""
    async with asyncio.timeout(within_s) as limit:
        yield Patience(limit)
