"""Events go to the broker before the webhook is answered, within a budget of time and a bound on how many wait."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import Enum

import structlog
from prometheus_client import Gauge

from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.events import Event

TWILIO_PATIENCE_S = 14.5
"""Twilio ends an exchange, retries included, after 15 s."""

_ATTEMPT_S = 2.0
_RETRY_S = 0.05
_TOKENS_KEPT = 10_000
_LONGEST_TOKEN = 200

log = structlog.get_logger(__name__)

_pending = Gauge("parley_webhooks_pending", "Publishes of webhooks that wait for the broker's ack.")


class NotHeld(Exception):  # noqa: N818 - an answer, not a fault
    """The broker did not take the event in time; only a 503 is honest."""


class Kind(Enum):
    """What waits for the broker."""

    TEXT = "text"
    REPORT = "report"


class Publisher:
    """Stores what a webhook brought, trying again until the broker has it or the time is over.

    Status callbacks may take half of the places at most: a text always finds one of the others.
    """

    def __init__(self, bus: Bus, most_pending: int) -> None:
        self._bus = bus
        self._room = most_pending
        self._room_for_reports = most_pending // 2 if most_pending > 1 else 1

    async def publish(self, subject: str, event: Event, deadline_s: float, *, kind: Kind = Kind.TEXT) -> None:
        """Publishes with the event's id, so that a repeat stores nothing. Raises ``NotHeld``."""
        await self.hold(lambda: self._bus.publish(subject, event, dedupe=True), deadline_s, kind=kind)

    async def hold(
        self, store: Callable[[], Awaitable[object]], deadline_s: float, *, kind: Kind = Kind.TEXT
    ) -> None:
        """Returns once ``store`` does; raises ``NotHeld`` at the deadline (monotonic seconds)."""
        is_report = kind is Kind.REPORT
        if self._room <= 0 or (is_report and self._room_for_reports <= 0):
            raise NotHeld("too many webhooks wait for the broker")
        self._room -= 1
        self._room_for_reports -= is_report
        _pending.inc()
        try:
            while not await self._stored(store, deadline_s):
                await asyncio.sleep(_RETRY_S)
        finally:
            _pending.dec()
            self._room += 1
            self._room_for_reports += is_report

    async def _stored(self, store: Callable[[], Awaitable[object]], deadline_s: float) -> bool:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise NotHeld("the broker did not ack in time")
        if not self._bus.nc.is_connected:
            return False
        try:
            async with asyncio.timeout(min(left_s, _ATTEMPT_S)):
                await store()
        except BROKER_TROUBLE as error:
            log.info("broker did not ack, trying again", error=type(error).__name__)
            return False
        return True


class Budgets:
    """How long each webhook may wait: all of the budget the first time, on a retry what Twilio has left."""

    def __init__(self, budget_s: float) -> None:
        self._budget_s = budget_s
        self._first_seen_s: OrderedDict[str, float] = OrderedDict()

    def deadline_s(self, idempotency_token: str | None, now_s: float) -> float:
        """The monotonic time at which to give up. All attempts at one webhook carry the same token."""
        if not idempotency_token or len(idempotency_token) > _LONGEST_TOKEN:
            return now_s + self._budget_s
        first_s = self._first_seen_s.setdefault(idempotency_token, now_s)
        if len(self._first_seen_s) > _TOKENS_KEPT:
            self._first_seen_s.popitem(last=False)
        return max(now_s + 0.5, min(now_s + self._budget_s, first_s + TWILIO_PATIENCE_S))
