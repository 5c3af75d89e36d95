"""A time limit that stands still while one waits for a place, since how long that takes is others' doing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Patience:
    """Seconds for one thing's own work. Raises ``TimeoutError`` from its block once they are over."""

    def __init__(self, within_s: float) -> None:
        self._limit = asyncio.timeout(within_s)

    async def __aenter__(self) -> Patience:
        await self._limit.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        return await self._limit.__aexit__(*error)  # type: ignore[arg-type] # what the block ended with

    @asynccontextmanager
    async def place(self, places: asyncio.Semaphore) -> AsyncIterator[None]:
        """A place for as long as the block runs; only from then on is the time counted again."""
        clock = asyncio.get_running_loop().time
        ends_at_s = self._limit.when()
        left_s = max(0.0, (ends_at_s or 0.0) - clock())
        self._limit.reschedule(None)
        async with places:
            self._limit.reschedule(clock() + left_s)
            yield
