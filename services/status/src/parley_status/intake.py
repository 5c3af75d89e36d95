"""Events in: pulls batches from the streams, folds each in one transaction, acks it after the commit.

What can't be decoded or folded goes to the dead letters and never holds up the rest. While the database or the
broker is in trouble, batches are handed back for later. Knows NATS and FastStream, no table and no rule.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import structlog
from faststream.message import StreamMessage
from faststream.nats import PullSub
from nats.aio.msg import Msg

from parley_common import events, topology
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.dead_letters import Place, bury
from parley_common.pulling import faststream_broker, hand_back, start_when_possible, subscribe
from parley_common.service import end_process
from parley_status.database import Database, is_trouble
from parley_status.folding_spans import Folding
from parley_status.metrics import FAILURES, FOLDED, Failing, count_deliveries
from parley_status.projection import Recorded, fold

SERVICE = "status"
DURABLES = (
    topology.STATUS_CONVERSATIONS,
    topology.STATUS_REPORTS,
    topology.STATUS_CONSENT,
    topology.STATUS_DEAD_LETTERS,
)
CONSUMERS = tuple(consumer for consumer in topology.CONSUMERS if consumer.durable in DURABLES)

_BATCH = 100
"""Events in one transaction. More fold a fifth faster at best, and the memory they need stays with the process."""

_GATHER_S = 0.1
_TROUBLE_DELAY_S = 2.0
_PUT_OFF = b'-NAK {"delay": %d}' % (_TROUBLE_DELAY_S * 1e9)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Delivery:
    """A message as it was handed to us, and the event it holds."""

    message: Msg
    recorded: Recorded

    def folding(self, begun_ns: int) -> Folding:
        """Its being folded since then."""
        return Folding(
            event=self.recorded.event,
            headers=self.message.headers or {},
            stored_at=self.message.metadata.timestamp,
            begun_ns=begun_ns,
        )


class Intake:
    """The subscribers of this service."""

    def __init__(self, broker: Broker, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database
        self._broker = faststream_broker(broker, "parley-status-intake", lost=end_process)
        self._held: set[str] = set()

    async def start(self) -> None:
        """Begins to pull; the consumers must be declared."""
        await start_when_possible(self._broker.start)
        for consumer in CONSUMERS:
            await self._subscribe(consumer)

    @property
    def deaf(self) -> str | None:
        """Why the broker does not let its connection hear all, None where it does or is silent."""
        return self._broker.link.deaf

    @property
    def problem(self) -> str | None:
        """Why nothing can be pulled through its connection now, None where all can."""
        return self._broker.link.problem

    async def stop(self, grace_s: float) -> None:
        """Ends after the batch at hand, or within ``grace_s``; what was pulled and not folded is handed back."""
        # FastStream waits for one subscriber after the other.
        self._broker.config.broker_config.graceful_timeout = grace_s / (len(CONSUMERS) + 1)
        try:
            try:
                async with asyncio.timeout(grace_s):
                    await self._broker.stop()
            finally:
                await hand_back(self._bus.nc, self._held)
        except BROKER_TROUBLE as error:
            log.info("stopped without the broker", error=type(error).__name__)

    async def _subscribe(self, consumer: topology.Consumer) -> None:
        await subscribe(
            self._broker,
            consumer,
            pull=PullSub(_BATCH, timeout=_GATHER_S, batch=True),
            decoder=_messages,
            take=self.take,
            held=self._held,
        )

    async def take(self, messages: Sequence[Msg]) -> None:
        """Folds a batch and acks it; hands it back for later where database or broker are in trouble."""
        try:
            await self._fold([d for m in messages if (d := await self._decoded(m)) is not None])
            for message in messages:
                await message.ack()
        except Exception as error:
            await self._put_off(messages, error)
        self._held.difference_update(message.reply for message in messages)

    async def _decoded(self, message: Msg) -> Delivery | None:
        """What the message holds, None where that had to go to the dead letters."""
        try:
            event = events.decode(message.data)
        except msgspec.DecodeError as error:
            await self._bury(message, Failing.UNDECODABLE, f"not an event: {type(error).__name__}")
            return None
        return Delivery(message, Recorded(message.metadata.sequence.stream, event))

    async def _fold(self, batch: Sequence[Delivery]) -> None:
        """Folds the batch; one that is refused is halved until what is to blame stands alone and is buried."""
        if not batch:
            return
        begun_ns = time.time_ns()
        try:
            work = partial(fold, batch=[delivery.recorded for delivery in batch])
            changes = await self._database.write(work)
        except Exception as error:
            if is_trouble(error):
                raise
            if len(batch) == 1:
                word = type(error).__name__
                await self._bury(batch[0].message, Failing.UNFOLDABLE, f"not foldable: {word}")
                batch[0].folding(begun_ns).tell_refused(word)
                return
            middle = len(batch) // 2
            await self._fold(batch[:middle])
            await self._fold(batch[middle:])
        else:
            now = datetime.now(UTC)
            count_deliveries(changes, now)
            for delivery in batch:
                FOLDED.labels(type(delivery.recorded.event).__name__).inc()
                delivery.folding(begun_ns).tell_done(now)

    async def _bury(self, message: Msg, cause: Failing, reason: str) -> None:
        """Writes a dead letter that says where the message stands; its body stays out of it."""
        place = message.metadata
        seq = place.sequence.stream
        buried = Place(subject=message.subject, seq=seq, headers=message.headers or {})
        await bury(self._bus, buried, reason, service=SERVICE)
        FAILURES.labels(cause).inc()
        log.error("dead letter", stream=place.stream, sequence=seq, reason=reason)

    async def _put_off(self, messages: Iterable[Msg], error: Exception) -> None:
        cause = Failing.DATABASE if is_trouble(error) else Failing.BROKER
        FAILURES.labels(cause).inc()
        log.warning("batch put off", cause=cause, error=type(error).__name__)
        try:
            for message in messages:
                await self._bus.nc.publish(message.reply, _PUT_OFF)
        except BROKER_TROUBLE:
            log.info("batch not handed back, it comes again when its time to ack is over")
        await asyncio.sleep(_TROUBLE_DELAY_S)


async def _messages(message: StreamMessage[Any]) -> Any:
    """Stands in for FastStream's decoder, which would end a batch at its first undecodable message."""
    return message.raw_message
