"""Whether a part in doubt exists at Twilio: its status callbacks prove it, Twilio's log makes it likely or not.

Nothing is sent again before the settle time is over and the log was read. Where there is no log to read, one more
attempt is made and no third.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import Channel
from parley_common.events import DeliveryReport, Evidence, PartAttempted, PartSent
from parley_common.lanes import LANES
from parley_egress.listing import Log, NoLog, alike
from parley_egress.twilio_api import TwilioApi

_LOOK_EVERY_S = 0.5
_READ_LOG_EVERY_S = 10.0

_EVENTS_BACK = 200_000
"""More events than all conversations together write in the time by which clocks may differ."""

_NO_WORDS: Log | NoLog = NoLog(reason="a part without words is like any other", for_good=True)

log = structlog.get_logger(__name__)

Rest = Callable[[float], Awaitable[None]]
"""Sleeps for so many seconds, or raises where the process is to stop."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """A part in doubt: its open attempt, where and when that was stored, when it expires, whose it is.

    ``since``: when it may have been sent first. ``restored``: what became of it stood in streams that were lost.
    """

    attempt: PartAttempted
    seq: int
    stored_at: datetime
    since: datetime
    restored: bool
    expires_at: datetime
    channel: Channel

    @property
    def is_over(self) -> bool:
        """Whether it is too late to send the part again."""
        return datetime.now(UTC) >= self.expires_at


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Twilio has the part under this SID."""

    sid: str
    status: str
    evidence: Evidence


class Absent:
    """Twilio does not have the part; it may be sent again."""


class Undecided:
    """Nobody can tell, and it is too late or too risky to find out by sending."""


class Evidences:
    """Looks for evidence. ``settle_s``: how long a callback may take to come."""

    def __init__(self, bus: Bus, api: TwilioApi, *, settle_s: float) -> None:
        self._bus = bus
        self._api = api
        self._settle = timedelta(seconds=settle_s)

    async def callback(self, conversation: str, part_id: str) -> Proof | None:
        """The proof in a status callback that carried the part's id, if one has come."""
        report = await self.report(conversation, part_id)
        if report is None:
            return None
        return Proof(sid=report.sid, status=report.status, evidence=Evidence.CALLBACK)

    async def report(self, conversation: str, part_id: str) -> DeliveryReport | None:
        """The newest status callback that carried the part's id, if one has come."""
        stored = await self._bus.last(topology.reports(conversation, part_id))
        try:
            report = stored.event() if stored is not None else None
        except msgspec.DecodeError:
            return None
        return report if isinstance(report, DeliveryReport) else None

    async def settle(self, doubt: Doubt, rest: Rest) -> Proof | Absent | Undecided:
        """Returns once it is known, likely enough, or too late to find out."""
        read_log_at = doubt.stored_at + self._settle
        while True:
            try:
                proof = await self.callback(doubt.attempt.conversation, doubt.attempt.part_id)
                if proof is not None:
                    return proof
                if datetime.now(UTC) >= read_log_at:
                    verdict = await self._read_log(doubt)
                    if verdict is not None:
                        return verdict
                    read_log_at = datetime.now(UTC) + timedelta(seconds=_READ_LOG_EVERY_S)
            except BROKER_TROUBLE as error:
                log.info("no evidence while the broker is gone", error=type(error).__name__)
            await rest(_LOOK_EVERY_S)

    async def _read_log(self, doubt: Doubt) -> Proof | Absent | Undecided | None:
        """What Twilio's log says; None where it is to be read again later."""
        found = _NO_WORDS
        if doubt.attempt.body.strip():
            found = await self._api.read_log(doubt.channel, doubt.attempt.contact, doubt.since)
        match found:
            case Log():
                return await self._likeliest(doubt, found)
            case NoLog(for_good=True):
                log.warning("Twilio's log cannot be read", reason=found.reason)
                once_more = doubt.attempt.doubts == 0 and not doubt.restored and not doubt.is_over
                return Absent() if once_more else Undecided()
            case NoLog():
                return Undecided() if doubt.is_over else None

    async def _likeliest(self, doubt: Doubt, found: Log) -> Proof | Absent:
        candidates = alike(doubt.attempt, doubt.since, found.messages)
        if not candidates:
            return Absent()
        claimed = await self._claimed(doubt)
        free = [message for message in candidates if message.sid not in claimed]
        if not free:
            return Absent()
        return Proof(sid=free[-1].sid, status=free[-1].status, evidence=Evidence.LIST)

    async def _claimed(self, doubt: Doubt) -> set[str]:
        """The SIDs that are known to be other parts of the conversation, of the last minutes."""
        claimed: set[str] = set()
        for lane in LANES:
            seq = max(1, doubt.seq - _EVENTS_BACK)
            while (stored := await self._bus.next(lane.chain(doubt.attempt.conversation), seq=seq)) is not None:
                event = stored.event()
                if isinstance(event, PartSent):
                    claimed.add(event.sid)
                seq = stored.seq + 1
        return claimed


async def rest_for(delay_s: float, closing: asyncio.Event) -> bool:
    """Sleeps for so many seconds; returns early, and True, where the process is to stop."""
    try:
        async with asyncio.timeout(delay_s):
            await closing.wait()
    except TimeoutError:
        return False
    return True
