"""Answers the operator's ``parley backfill``, which reaches a running ingress over the broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from parley_common import requests
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import Channel, Channels
from parley_common.requests import BackfillAnswer, BackfillRequest
from parley_ingress.backfill import Backfill, Found

_QUEUE = "ingress"

log = structlog.get_logger(__name__)


class Question(Protocol):
    """A message of NATS that wants an answer."""

    data: bytes

    async def respond(self, data: bytes) -> None:
        """Sends the answer."""


class BackfillDesk:
    """Takes one request after the other; of several replicas one answers.

    ``after``: for how long a text is left to its webhook. ``kept``: how long the stream keeps texts.
    """

    def __init__(
        self, bus: Bus, channels: Channels, backfill: Backfill, *, after: timedelta, kept: timedelta
    ) -> None:
        self._bus = bus
        self._channels = channels
        self._backfill = backfill
        self._after = after
        self._kept = kept
        self._leave: Callable[[], Awaitable[None]] | None = None

    async def open(self) -> None:
        """Begins to listen."""
        subscription = await self._bus.nc.subscribe(requests.BACKFILL, queue=_QUEUE, cb=self._take)
        self._leave = subscription.unsubscribe

    async def close(self) -> None:
        """Ends. A request under way is cancelled, and whoever made it is told before the connection closes."""
        if self._leave is not None and not self._bus.nc.is_closed:
            await self._leave()

    async def _take(self, question: Question) -> None:
        answer = _sorry("ingress was stopped in the middle of it: run it again")
        try:
            answer = await self.answer(question.data)
        except Exception:  # whoever asked must not wait in vain, nor those who ask next
            log.exception("backfill failed")
            answer = _sorry("ingress failed at it: see its log")
        finally:
            await question.respond(requests.encode(answer))

    async def answer(self, data: bytes) -> BackfillAnswer:
        """What a request comes to; whatever goes wrong is among its problems."""
        try:
            request = requests.decode(data, BackfillRequest)
        except msgspec.DecodeError as error:
            return _sorry(f"this is no request for a backfill: {error}")
        channels = [one for one in self._channels.all if request.channel in ("", one.name)]
        if not channels:
            return _sorry(f"there is no channel {request.channel!r}")
        if request.since >= request.until:
            return _sorry("the period ends before it begins: --since must be before --until")
        log.info("backfill asked for", since=request.since.isoformat(), until=request.until.isoformat())
        return await self._bring_in(channels, request)

    async def _bring_in(self, channels: Sequence[Channel], request: BackfillRequest) -> BackfillAnswer:
        now, totals = datetime.now(UTC), Found()
        since, until = max(request.since, now - self._kept), min(request.until, now - self._after)
        if until < request.until:
            totals.problems.append(
                f"the last {self._after.total_seconds():g} s were left out: their texts may still come by webhook"
            )
        if since > request.since:
            totals.problems.append(
                f"what is older than {self._kept / timedelta(days=1):.1f} days was left out: the stream has "
                "forgotten its texts, and what was answered long ago would be answered again"
            )
        try:
            for channel in channels:
                numbers, problems = await self._backfill.numbers(channel)
                totals.problems += problems
                for number in numbers:
                    totals += await self._backfill.bring_in(channel, number, since, until)
        except BROKER_TROUBLE as error:
            totals.problems.append(f"the broker is in trouble ({type(error).__name__}): run it again")
        if totals.unreadable:
            totals.problems.append(f"{totals.unreadable} cannot be read: the log of ingress names their SIDs")
        return BackfillAnswer(
            found=totals.found,
            brought_in=totals.brought_in,
            known=totals.known,
            problems=tuple(dict.fromkeys(totals.problems)),
        )


def _sorry(problem: str) -> BackfillAnswer:
    return BackfillAnswer(problems=(problem,))
