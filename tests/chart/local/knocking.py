"""Somebody who knocks at a Service again and again, over a new connection each time, and counts the answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

_EVERY_S = 0.05


@asynccontextmanager
async def knocking(url: str) -> AsyncIterator[Counter[str]]:
    """Knocks inside the block; counts answers by their status, and by their names the errors that came instead."""
    counted: Counter[str] = Counter()
    over = asyncio.Event()
    task = asyncio.create_task(_knock(url, counted, over))
    try:
        yield counted
    finally:
        over.set()
        await task


async def _knock(url: str, counted: Counter[str], over: asyncio.Event) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(verify=False, limits=limits, timeout=30.0) as http:
        while not over.is_set():
            try:
                counted[str((await http.get(url)).status_code)] += 1
            except httpx.TransportError as error:
                counted[type(error).__name__] += 1
            await asyncio.sleep(_EVERY_S)
