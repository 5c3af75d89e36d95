"""A worker's link to the outside: every call waits until the explorer says how it ends.

The real ``Bus`` speaks through it as through its client, so that its appends, retries and reads are the real ones.
A call takes effect and is answered in two steps: between them lie lost acks and whatever was read too early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from model.streams import Streams
from parley_common.broker import Broker
from parley_common.bus import Bus

Effect = Callable[[], Any]


@dataclass(eq=False)
class Call:
    """One call. ``ways``: how it may end, the usual one first; each returns the answer or raises it.

    ``answer``: of a call that took effect and was not answered yet.
    """

    label: str
    ways: Mapping[str, Effect]
    future: asyncio.Future[Any]
    answer: Effect | None = None

    def take_effect(self, way: str) -> None:
        """It happens at the other side; the worker does not know yet."""
        try:
            result = self.ways[way]()
        except AssertionError:
            raise  # what must hold does not
        except Exception as error:
            self.answer = _raising(error)
        else:
            self.answer = lambda: result

    def be_answered(self) -> None:
        """The worker learns what came of it."""
        assert self.answer is not None
        if self.future.done():
            return
        try:
            self.future.set_result(self.answer())
        except Exception as error:
            self.future.set_exception(error)


@dataclass(eq=False)
class Port:
    """What one process is connected to. ``seen``: a digest of all that it was ever answered.

    ``stale_reads``: whether a read may be answered by one who has not heard of the newest.
    """

    name: str
    streams: Streams
    answered: Callable[[str, str], None]
    calls: list[Call] = field(default_factory=list)
    alive: bool = True
    stale_reads: bool = True
    seen: int = 0

    def bus(self) -> Bus:
        """The real thing, with a client of ours."""
        bus = Bus(Broker("nats://nowhere"), name=self.name)
        client: Any = SimpleNamespace(publish=self.publish, get_msg=self.get_msg)
        connection: Any = SimpleNamespace(publish=self.answer_bell, is_connected=True)
        bus.js, bus.nc = client, connection
        return bus

    async def call(self, label: str, ways: Mapping[str, Effect]) -> Any:
        """Waits for the explorer. Nothing that a dead process still wants comes true."""
        if not self.alive:
            raise asyncio.CancelledError
        call = Call(label, ways, asyncio.get_running_loop().create_future())
        self.calls.append(call)
        return await call.future

    async def publish(
        self,
        subject: str,
        data: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Any:
        """As the client's, ``timeout`` being the explorer's choice."""
        sent = dict(headers or {})

        def store() -> Any:
            return self.streams.publish(subject, data, sent)

        def store_and_lose() -> Any:
            self.streams.publish(subject, data, sent)
            raise TimeoutError

        return await self.call(f"publish {subject}", {"ok": store, "lost": store_and_lose, "failed": _time_out})

    async def get_msg(self, stream: str, *, seq: int | None, subject: str, next: bool) -> Any:  # noqa: A002
        """As the client's: a read, perhaps one that does not see the newest."""

        def read(hidden: int) -> Effect:
            return lambda: self.streams.get(stream, subject, seq=seq, following=next, hidden=hidden)

        ways = {"ok": read(0), "failed": _time_out}
        if self.stale_reads:
            ways |= {"stale": read(1), "staler": read(2)}
        return await self.call(f"get {subject} {seq or 'last'}", ways)

    async def answer_bell(self, reply: str, word: bytes) -> None:
        """A core publish: nobody learns whether it arrives."""
        if self.alive:
            self.answered(reply, word.decode())


def _time_out() -> Any:
    raise TimeoutError


def _raising(error: Exception) -> Effect:
    def answer() -> Any:
        raise error

    return answer
