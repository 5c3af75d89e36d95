"""Looks into Twilio's log again and again, number by number, in one replica at a time.

The lease spares Twilio the same questions from every replica; nothing depends on it. Of a number that is new
nothing is brought in: nobody wants old history answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from parley_common.bus import BROKER_TROUBLE
from parley_common.channels import Channel, Channels
from parley_common.leases import Leases
from parley_ingress.backfill import Backfill
from parley_ingress.marks import Marks, following, period

_LEASE = "backfill"
_LEASE_EVERY_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """``every_s``: between two rounds. ``after``: how old a text must be. ``kept``: how long the stream has it."""

    every_s: float
    after: timedelta
    kept: timedelta


class Rounds:
    """The loop."""

    def __init__(self, channels: Channels, leases: Leases, marks: Marks, backfill: Backfill, pace: Pace) -> None:
        self._channels = channels
        self._leases = leases
        self._marks = marks
        self._backfill = backfill
        self._pace = pace
        self._settled: dict[str, tuple[datetime, set[str]]] = {}

    async def keep_looking(self) -> None:
        """Looks while the lease is ours, until cancelled."""
        while True:
            pause_s = min(_LEASE_EVERY_S, self._pace.every_s)
            try:
                if await self._leases.take(_LEASE) is None:
                    await self.look()
                    pause_s = self._pace.every_s
            except BROKER_TROUBLE as error:
                log.info("backfill put off, the broker is in trouble", error=type(error).__name__)
            except Exception:  # whatever it was, later texts must not stay out for it
                log.exception("backfill failed, the next round tries again")
            await asyncio.sleep(pause_s)

    async def look(self) -> None:
        """One round over all numbers. Raises ``BROKER_TROUBLE``."""
        for channel in self._channels.all:
            numbers, problems = await self._backfill.numbers(channel)
            for problem in problems:
                log.warning("backfill is incomplete", channel=channel.name, reason=problem)
            for number in numbers:
                await self._look_at(channel, number)

    async def _look_at(self, channel: Channel, number: str) -> None:
        now = datetime.now(UTC).replace(microsecond=0)  # as Twilio dates its texts
        mark = await self._marks.read(channel, number)
        if mark is None:
            await self._marks.write(channel, number, now, now)
            return
        due = period(mark, now, after=self._pace.after, kept=self._pace.kept)
        if due is None:
            return
        found = await self._backfill.bring_in(channel, number, *due, settled=self._dealt_with(number, mark))
        self._settled[number] = (mark, found.settled)
        for problem in dict.fromkeys(found.problems):
            log.warning("backfill is incomplete", channel=channel.name, reason=problem)
        if not found.problems and (upto := following(mark, due[1])) is not None:
            await self._marks.write(channel, number, upto, now)

    def _dealt_with(self, number: str, mark: datetime) -> set[str]:
        """The SIDs of the last look. Where the mark went back, a backup was restored, and they may be gone."""
        last_mark, settled = self._settled.get(number, (mark, set()))
        return settled if mark >= last_mark else set()
