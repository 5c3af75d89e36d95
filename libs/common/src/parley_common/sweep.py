"""Finds what no doorbell speaks of any more, and rings again.

A bell can be lost with the consumer that held it: restored from a backup, deleted by hand, forgotten by a broker.
One process at a time walks through what is older than a minute and asks whether it is dealt with. A bell that is
still on its way is rung too; that costs a look at the conversation and nothing else. What waits for its time is
left alone until a minute after it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from prometheus_client import Counter

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus, Stored
from parley_common.doorbells import Later
from parley_common.leases import Leases
from parley_common.metrics import begin

_EVERY_S = 15.0
_AGE = timedelta(seconds=60)
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_PAUSE = timedelta(seconds=30)
_MOST_PAUSE = timedelta(minutes=10)
_FIRST_LOOK_BACK = timedelta(days=2)
_BATCH = 500
_FETCH_S = 1.0
_FORGOTTEN_AFTER_S = 30.0

log = structlog.get_logger(__name__)

_rung = Counter("parley_sweep_rings", "Conversations rung again because they were open for a minute.", ["sweep"])

IsDone = Callable[[str, int], Awaitable[bool]]
"""Whether a conversation is dealt with up to this sequence. Raises ``Later`` where it waits for its time."""

Ring = Callable[[Stored], Awaitable[None]]
"""Has the conversation of a stored message worked on."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """The newest message of a conversation that was not seen dealt with; ``look_at``: not to be looked at before.

    What is rung and stays open waits for something, its turn or its time: it is looked at less and less often.
    """

    seq: int
    subject: str
    look_at: datetime = _AT_ONCE
    rings: int = 0

    def rung(self, now: datetime) -> Open:
        """The same after it was rung."""
        return replace(self, look_at=now + min(_MOST_PAUSE, _PAUSE * 2**self.rings), rings=self.rings + 1)

    def left(self, now: datetime, delay_s: float) -> Open:
        """The same where it is not due for so long."""
        return replace(self, look_at=now + timedelta(seconds=delay_s) + _AGE, rings=0)


class Sweep:
    """Walks along one subject of all conversations. ``subject``: as ``conv.*.in``."""

    def __init__(self, bus: Bus, leases: Leases, subject: str, *, is_done: IsDone, ring: Ring) -> None:
        self._bus = bus
        self._leases = leases
        self._subject = subject
        self._stream = topology.stream_of(subject)
        self._lease = "sweep." + subject.replace("*", "all")  # a wildcard is nothing to publish to
        self._is_done = is_done
        self._ring = ring
        self._next_seq: int | None = None
        self._open: dict[str, Open] = {}
        begin(_rung, (subject,))

    async def keep_sweeping(self) -> None:
        """Sweeps again and again while the lease is ours, until cancelled."""
        while True:
            try:
                if await self._leases.take(self._lease) is None:
                    await self.sweep()
            except BROKER_TROUBLE as error:
                log.info("sweep put off, the broker is in trouble", error=type(error).__name__)
            await asyncio.sleep(_EVERY_S)

    async def sweep(self, now: datetime | None = None) -> int:
        """Walks on to what is a minute old at ``now``, looks at all that is open; returns how many it rang."""
        now = now or datetime.now(UTC)
        await self._begin_anew_if_restored()
        await self._walk(now - _AGE)
        rung = 0
        for conversation, seen in list(self._open.items()):
            if seen.look_at <= now:
                rung += await self._look(conversation, seen, now)
        if rung:
            log.warning("open for a minute, rung again", sweep=self._subject, conversations=rung)
            _rung.labels(self._subject).inc(rung)
        return rung

    async def _look(self, conversation: str, seen: Open, now: datetime) -> bool:
        """Whether the conversation had to be rung. One that cannot be looked at holds up no other."""
        try:
            is_done = await self._is_done(conversation, seen.seq)
            stored = None if is_done else await self._bus.next(seen.subject, seq=seen.seq)
            if stored is not None:
                await self._ring(stored)
        except BROKER_TROUBLE:
            raise
        except Later as later:
            self._open[conversation] = seen.left(now, later.delay_s)
            return False
        except Exception:
            log.exception("not looked at, it is tried again", conversation=conversation)
            return False
        if stored is None:
            del self._open[conversation]  # dealt with, or erased
            return False
        self._open[conversation] = seen.rung(now)
        return True

    async def _begin_anew_if_restored(self) -> None:
        """A stream that ends before we are was restored: its sequences will be given out again."""
        state = (await self._bus.js.stream_info(self._stream)).state
        if self._next_seq is not None and self._next_seq > state.last_seq + 1:
            self._next_seq = None
            self._open.clear()

    async def _walk(self, until: datetime) -> None:
        """Notes the newest message of every conversation that is older than ``until``."""
        async with self._reading(until) as reader:
            while True:
                messages = await _fetch(reader)
                for message in messages:
                    place = message.metadata
                    if place.timestamp > until:
                        return
                    conversation = topology.conversation_of(message.subject)
                    self._open[conversation] = Open(seq=place.sequence.stream, subject=message.subject)
                    self._next_seq = place.sequence.stream + 1
                if not messages:
                    return

    @asynccontextmanager
    async def _reading(self, until: datetime) -> AsyncIterator[JetStreamContext.PullSubscription]:
        """A consumer for one walk. It is deleted at the end: to unsubscribe leaves it behind."""
        config = self._reader(until)
        reader = await self._bus.js.pull_subscribe(self._subject, stream=self._stream, config=config)
        try:
            yield reader
        finally:
            with contextlib.suppress(*BROKER_TROUBLE):
                await reader.unsubscribe()
                await self._bus.js.delete_consumer(self._stream, str(config.name))

    def _reader(self, until: datetime) -> ConsumerConfig:
        """From where the last walk ended; the first begins two days back."""
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            headers_only=True,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=_FORGOTTEN_AFTER_S,
        )
        if self._next_seq is None:
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = until - _FIRST_LOOK_BACK
        else:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self._next_seq
        return config


async def _fetch(reader: JetStreamContext.PullSubscription) -> list[Msg]:
    """What comes next, nothing at the end."""
    try:
        return await reader.fetch(_BATCH, timeout=_FETCH_S)
    except TimeoutError:
        return []
