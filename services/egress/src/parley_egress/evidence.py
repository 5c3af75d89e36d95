"""Whether a part in doubt exists at Twilio: its own status callbacks are the proof."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.events import DeliveryReport, PartAttempted

_LOOK_EVERY_S = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Twilio created the part under this SID."""

    sid: str
    status: str


async def find_proof(bus: Bus, attempt: PartAttempted) -> Proof | None:
    """The proof in a callback that carried the part's id, signed for the same channel and sent to the same person.

    An id alone proves nothing: another account could have put it into a callback of its own.
    """
    stored = await bus.last(topology.reports(attempt.part_id))
    if stored is None:
        return None
    report = stored.event()
    if not isinstance(report, DeliveryReport):
        return None
    if (report.channel, report.conversation) != (attempt.channel, attempt.conversation):
        log.warning("a callback carries the id of a part that is not its own", sid=report.sid)
        return None
    return Proof(sid=report.sid, status=report.status)


async def await_proof(bus: Bus, attempt: PartAttempted, until: datetime) -> Proof | None:
    """Looks for proof until the time is over; returns it, or None once the part may be sent again."""
    while True:
        over = datetime.now(UTC) >= until
        try:
            proof = await find_proof(bus, attempt)
        except BROKER_TROUBLE:
            proof, over = None, False
        if proof is not None or over:
            return proof
        await asyncio.sleep(_LOOK_EVERY_S)


def settled_at(attempted_at: datetime, settle_s: float) -> datetime:
    """When a part attempted at that time (by the broker's clock) may be sent again for want of proof."""
    return attempted_at + timedelta(seconds=settle_s)
