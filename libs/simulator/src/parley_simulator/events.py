"""Who watches: open event streams of phone pages.

Passes on what happened, encoded once, and only when somebody watches. A watcher that does not read
is cut off rather than kept in memory; the page connects again and asks for the state.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

KEEPALIVE_S = 15.0
_MOST_WAITING = 2_000


class EventFeed:
    """Server-sent events to any number of watchers."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[bytes | None]] = set()
        self._encoder = msgspec.json.Encoder()

    @property
    def watched(self) -> bool:
        """Whether anyone would see an event."""
        return bool(self._watchers)

    def publish(self, name: str, payload: object) -> None:
        """Send an event to all watchers."""
        if not self._watchers:
            return
        event = b"event: " + name.encode() + b"\ndata: " + self._encoder.encode(payload) + b"\n\n"
        for queue in list(self._watchers):
            if queue.qsize() < _MOST_WAITING:
                queue.put_nowait(event)
            else:
                self._watchers.discard(queue)
                queue.put_nowait(None)

    def close(self) -> None:
        """End every stream."""
        for queue in list(self._watchers):
            queue.put_nowait(None)
        self._watchers.clear()

    async def watch(self) -> AsyncIterator[bytes]:
        """Yield encoded events until the feed closes or the watcher falls behind."""
        with self._seat() as queue:
            yield b"retry: 1000\nevent: hello\ndata: {}\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), KEEPALIVE_S)
                except TimeoutError:
                    event = b": still here\n\n"
                if event is None:
                    return
                yield event

    @contextmanager
    def _seat(self) -> "Iterator[asyncio.Queue[bytes | None]]":
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)
