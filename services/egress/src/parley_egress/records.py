"""The events of a part's chain, made from what is known of it. Pure: identity and time come in as a stamp."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parley_common.domain.segments import count_segments
from parley_common.events import Evidence, PartAttempted, PartFailed, PartSent
from parley_egress.outcome import Created, NotSent
from parley_egress.parts import Part


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What makes an event this one write: its id, when, and by whom."""

    id: str
    at: datetime
    worker: str


def attempted(part: Part, stamp: Stamp, *, in_doubt: bool) -> PartAttempted:
    """The attempt, written before its POST. ``in_doubt``: nobody knows what became of the one before."""
    cause = part.origin.event
    return PartAttempted(
        id=stamp.id,
        at=stamp.at,
        channel=cause.channel,
        conversation=cause.conversation,
        part_id=part.part_id,
        message_id=part.message_id,
        slot=part.slot,
        of=part.of,
        sender=cause.sender,
        contact=cause.contact,
        body=part.body,
        media=part.media,
        rest=part.rest,
        attempt=part.attempts + 1,
        doubts=part.doubts + in_doubt,
        worker=stamp.worker,
    )


def sent(part: Part, attempted: int, created: Created, evidence: Evidence, stamp: Stamp) -> PartSent:
    """The part's attempt at sequence ``attempted`` made a message at Twilio."""
    cause = part.origin.event
    return PartSent(
        id=stamp.id,
        at=stamp.at,
        channel=cause.channel,
        conversation=cause.conversation,
        part_id=part.part_id,
        message_id=part.message_id,
        slot=part.slot,
        of=part.of,
        attempted=attempted,
        sid=created.sid,
        segments=count_segments(part.body).segments,
        evidence=evidence,
        twilio_status=created.status,
    )


def failed(part: Part, seq: int, outcome: NotSent, stamp: Stamp) -> PartFailed:
    """The part was not sent; ``seq`` is its attempt, 0 where none was made."""
    cause = part.origin.event
    return PartFailed(
        id=stamp.id,
        at=stamp.at,
        channel=cause.channel,
        conversation=cause.conversation,
        part_id=part.part_id,
        message_id=part.message_id,
        slot=part.slot,
        of=part.of,
        attempted=seq,
        failure=outcome.failure,
        final=outcome.final,
        reason=outcome.reason,
        code=outcome.code,
    )
