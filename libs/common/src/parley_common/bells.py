"""The FastStream subscriber of a durable doorbell consumer: delivers bells and leaves it to others to ack them.

Deliveries arrive as raw bytes: a message that cannot be decoded must ring like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from faststream.nats import PullSub
from faststream.nats.message import NatsMessage

from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.declare import declare_again, wait_declared
from parley_common.doorbells import Bell
from parley_common.pulling import faststream_broker, hand_back, start_when_possible, subscribe
from parley_common.service import end_process

log = structlog.get_logger(__name__)

_BATCH = 16
_FETCH_S = 5.0
_READY_TIMEOUT_S = 1.0
_LOOK_EVERY_S = 2.0

OnBell = Callable[[str, Bell, bytes], Awaitable[None]]
"""Takes a delivery: its subject, the bell, its body."""


class BellSubscriber:
    """Listens on one durable consumer, and declares it again where it has vanished.

    ``lost`` is called where the broker ends the connection for good: see ``Link``.
    """

    def __init__(
        self, broker: Broker, durable: str, on_bell: OnBell, *, lost: Callable[[], None] = end_process
    ) -> None:
        self._consumer = next(consumer for consumer in topology.CONSUMERS if consumer.durable == durable)
        self._on_bell = on_bell
        self._started = False
        self._fetched: set[str] = set()
        self._broker = faststream_broker(broker, f"parley-{durable}-bells", lost=lost)

    async def wait_declared(self, bus: Bus) -> None:
        """Returns once the streams and this consumer exist."""
        await wait_declared(bus.js, frozenset({self._consumer.durable}))

    async def start(self) -> None:
        """Begins to listen."""
        await start_when_possible(self._broker.start)
        await subscribe(
            self._broker,
            self._consumer,
            pull=PullSub(batch_size=_BATCH, timeout=_FETCH_S),
            decoder=_undecoded,
            take=self._deliver,
            held=self._fetched,
        )
        self._started = True

    async def stop(self, bus: Bus) -> None:
        """Listens no more, and hands back what was fetched and not begun."""
        self._started = False
        try:
            await self._broker.stop()
            await hand_back(bus.nc, self._fetched)
        except (RuntimeError, *BROKER_TROUBLE) as error:
            # Without a broker there is nothing to drain; uvloop calls its closed connection a RuntimeError.
            log.info("stopped listening without the broker", error=type(error).__name__)

    async def keep_declared(self, bus: Bus) -> None:
        """Declares the consumer again whenever it has vanished, until cancelled."""
        while True:
            await declare_again(bus.js, frozenset({self._consumer.durable}))
            await asyncio.sleep(_LOOK_EVERY_S)

    async def problems(self, bus: Bus) -> Sequence[str]:
        """Why no bell can be heard now: asks the broker for the consumer, since a ping proves nothing."""
        if (refused := bus.refused or self._broker.link.deaf) is not None:
            return [refused]
        if not self._started:
            return ["waiting for the broker and the declare step"]
        if (problem := self._broker.link.problem) is not None:
            return [problem]
        try:
            await bus.js.consumer_info(self._consumer.stream, self._consumer.durable, timeout=_READY_TIMEOUT_S)
        except BROKER_TROUBLE as error:
            return [f"the broker does not answer for consumer {self._consumer.durable}: {type(error).__name__}"]
        return []

    async def _deliver(self, body: bytes) -> None:
        message: NatsMessage = self._broker.context.get_local("message")
        raw = message.raw_message
        self._fetched.discard(raw.reply)
        await self._on_bell(raw.subject, Bell(seq=raw.metadata.sequence.stream, reply=raw.reply), body)


async def _undecoded(message: NatsMessage) -> bytes:
    return message.body
