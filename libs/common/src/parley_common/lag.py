"""How far a service's durable consumers are behind, as the broker counts it, looked at again and again.

The oldest message that is not dealt with is the first after the consumer's ack floor: below it all is acked,
whatever was acked out of order above it. A held doorbell counts until it is acked.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog
from prometheus_client import Gauge

from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.topology import CONSUMERS, Consumer

EVERY_S = 5.0
STALE_S = 15.0
"""After so long without an answer of the broker, what it said last is not known to hold."""

_TIMEOUT_S = 2.0
_READ_AGAIN_S = 60.0
"""The broker walks through what lies between the floor and the message, so it is not asked at each look."""

log = structlog.get_logger(__name__)

_lag = Gauge("parley_lag", "Messages of a consumer that are not dealt with, held doorbells too.", ["consumer"])
_lag_seconds = Gauge("parley_lag_seconds", "Age of the oldest of them, 0 where there is none.", ["consumer"])


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look at a consumer showed. ``since``: from when the oldest message waits, None where none does.

    ``at_s``: when that was, on the monotonic clock.
    """

    count: int
    since: datetime | None
    at_s: float


@dataclass(frozen=True, kw_only=True)
class _Oldest:
    """The message after an ack floor. The floor stays where it is until that very message is dealt with.

    ``read_at_s``: when it was read; it may have been erased since.
    """

    created: datetime | None
    floor: int
    time: datetime
    read_at_s: float


def shown_count(look: Look | None, now_s: float) -> float:
    """The number as a gauge shows it: not a number where it is not known, or not any more."""
    return math.nan if look is None or now_s - look.at_s > STALE_S else look.count


def shown_age_s(look: Look | None, now: datetime, now_s: float) -> float:
    """The age as a gauge shows it.

    What was seen to wait goes on waiting while the broker is away: the age grows. Where nothing was seen to wait,
    nobody knows any more whether that holds: an old 0 would be a lie.
    """
    if look is not None and look.since is not None:
        return max(0.0, (now - look.since).total_seconds())
    return math.nan if look is None or now_s - look.at_s > STALE_S else 0.0


class Lag:
    """Looks at the consumers of a service, of which ``durables`` are the names."""

    def __init__(self, bus: Bus, durables: Collection[str]) -> None:
        self._bus = bus
        self._consumers = tuple(consumer for consumer in CONSUMERS if consumer.durable in durables)
        self._looks: dict[str, Look] = {}
        self._oldest: dict[str, _Oldest] = {}
        self._told: set[type[Exception]] = set()
        for consumer in self._consumers:
            _lag.labels(consumer.durable).set_function(partial(self._count, consumer.durable))
            _lag_seconds.labels(consumer.durable).set_function(partial(self._age_s, consumer.durable))

    async def keep_looking(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            await asyncio.gather(*(self._try(consumer) for consumer in self._consumers))
            await asyncio.sleep(EVERY_S)

    async def look(self, consumer: Consumer) -> Look:
        """Asks the broker once. Raises ``BROKER_TROUBLE``, also where the consumer is not there."""
        info = await self._bus.js.consumer_info(consumer.stream, consumer.durable, timeout=_TIMEOUT_S)
        count = (info.num_pending or 0) + (info.num_ack_pending or 0)
        floor = 0 if info.ack_floor is None else info.ack_floor.stream_seq
        since = await self._since(consumer, info.created, floor) if count else None
        return Look(count=count, since=since, at_s=time.monotonic())

    async def _try(self, consumer: Consumer) -> None:
        if not self._bus.nc.is_connected:
            return
        try:
            self._looks[consumer.durable] = await self.look(consumer)
        except BROKER_TROUBLE as error:
            log.info("lag not known", consumer=consumer.durable, error=type(error).__name__)
        except Exception as error:
            self._tell_unexpected(consumer, error)

    def _tell_unexpected(self, consumer: Consumer, error: Exception) -> None:
        """Whatever is wrong with a look, no more than a gauge depends on it. Each kind is told of once."""
        kind = type(error)
        if kind not in self._told:
            self._told.add(kind)
            log.error("lag not known", consumer=consumer.durable, error=kind.__name__, exc_info=error)

    async def _since(self, consumer: Consumer, created: datetime | None, floor: int) -> datetime | None:
        """From when the oldest message waits: since it is stored, but no longer than the consumer exists.

        One that was declared again is handed all anew, or the last of each conversation, be it dealt with or not.
        """
        now_s, known = time.monotonic(), self._oldest.get(consumer.durable)
        is_same = known is not None and (known.created, known.floor) == (created, floor)
        if known is None or not is_same or now_s - known.read_at_s > _READ_AGAIN_S:
            stored = await self._bus.next(consumer.subject, seq=floor + 1)
            if stored is None:
                return None  # it was erased, or dealt with since the broker counted
            known = _Oldest(created=created, floor=floor, time=stored.time, read_at_s=now_s)
            self._oldest[consumer.durable] = known
        return known.time if created is None else max(known.time, created)

    def _count(self, durable: str) -> float:
        return shown_count(self._looks.get(durable), time.monotonic())

    def _age_s(self, durable: str) -> float:
        return shown_age_s(self._looks.get(durable), datetime.now(UTC), time.monotonic())
