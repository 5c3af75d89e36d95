"""Finds what no doorbell speaks of any more, and rings again.

A bell can be lost with the consumer that held it: restored from a backup, deleted by hand, forgotten by a broker.
One process at a time walks through what is older than a minute and asks whether it is dealt with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from prometheus_client import Counter

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus, Stored
from parley_common.leases import Leases

_EVERY_S = 15.0
_AGE = timedelta(seconds=60)
_FIRST_LOOK_BACK = timedelta(days=2)
_BATCH = 500
_FETCH_S = 1.0

log = structlog.get_logger(__name__)

_rung = Counter("parley_sweep_rings", "Conversations rung again because their bell was lost.", ["sweep"])

IsDone = Callable[[str, int], Awaitable[bool]]
"""Whether a conversation is dealt with up to this sequence."""

Ring = Callable[[Stored], Awaitable[None]]
"""Has the conversation of a stored message worked on."""


class Sweep:
    """Walks along one subject of all conversations. ``subject``: as ``conv.*.in``."""

    def __init__(self, bus: Bus, leases: Leases, subject: str, *, is_done: IsDone, ring: Ring) -> None:
        self._bus = bus
        self._leases = leases
        self._subject = subject
        self._is_done = is_done
        self._ring = ring
        self._next_seq: int | None = None
        self._open: dict[str, tuple[int, str]] = {}

    async def keep_sweeping(self) -> None:
        """Sweeps again and again while the lease is ours, until cancelled."""
        while True:
            try:
                if await self._leases.take(f"sweep.{self._subject}") is None:
                    await self.sweep()
            except BROKER_TROUBLE as error:
                log.info("sweep put off, the broker is in trouble", error=type(error).__name__)
            await asyncio.sleep(_EVERY_S)

    async def sweep(self, now: datetime | None = None) -> None:
        """Walks on to what is a minute old at ``now``, and looks again at what was open before."""
        await self._walk((now or datetime.now(UTC)) - _AGE)
        for conversation, (seq, subject) in list(self._open.items()):
            if await self._is_done(conversation, seq):
                del self._open[conversation]
            elif (stored := await self._bus.next(subject, seq=seq)) is not None:
                log.warning("no bell spoke of this, it is rung again", conversation=conversation)
                _rung.labels(self._subject).inc()
                await self._ring(stored)

    async def _walk(self, until: datetime) -> None:
        """Notes the newest message of every conversation that is older than ``until``."""
        subscription = await self._bus.js.pull_subscribe(
            self._subject, stream=topology.stream_of(self._subject), config=self._reader(until)
        )
        try:
            while True:
                try:
                    messages = await subscription.fetch(_BATCH, timeout=_FETCH_S)
                except TimeoutError:
                    return
                for message in messages:
                    place = message.metadata
                    if place.timestamp > until:
                        return
                    conversation = topology.conversation_of(message.subject)
                    self._open[conversation] = (place.sequence.stream, message.subject)
                    self._next_seq = place.sequence.stream + 1
        finally:
            await subscription.unsubscribe()

    def _reader(self, until: datetime) -> ConsumerConfig:
        """From where the last walk ended; the first begins two days back."""
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            headers_only=True,
            mem_storage=True,
            num_replicas=1,
            inactive_threshold=30.0,
        )
        if self._next_seq is None:
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = until - _FIRST_LOOK_BACK
        else:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self._next_seq
        return config
