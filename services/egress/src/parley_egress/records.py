"""The events of a part's chain, made from what is known of it. Pure: identity and time come in as a stamp."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from parley_common.domain.segments import count_segments
from parley_common.events import Evidence, PartAttempted, PartFailed, PartSent, Slot
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
        **_shared(part, stamp),
        sender=cause.sender,
        contact=cause.contact,
        body=part.body,
        media=part.media,
        rest=part.rest,
        attempt=part.attempts + 1,
        doubts=part.doubts + in_doubt,
        worker=stamp.worker,
    )


def sent(part: Part, attempt_seq: int, created: Created, evidence: Evidence, stamp: Stamp) -> PartSent:
    """The part's attempt at ``attempt_seq`` made a message at Twilio."""
    return PartSent(
        **_shared(part, stamp),
        attempted=attempt_seq,
        sid=created.sid,
        segments=count_segments(part.body).segments,
        evidence=evidence,
        twilio_status=created.status,
    )


def failed(part: Part, attempt_seq: int, outcome: NotSent, stamp: Stamp) -> PartFailed:
    """The part was not sent; ``attempt_seq`` is its attempt, 0 where none was made."""
    return PartFailed(
        **_shared(part, stamp),
        attempted=attempt_seq,
        failure=outcome.failure,
        final=outcome.final,
        reason=outcome.reason,
        code=outcome.code,
    )


class _Shared(TypedDict):
    """What the events of one part share."""

    id: str
    at: datetime
    channel: str
    conversation: str
    part_id: str
    message_id: str
    slot: Slot
    of: int


def _shared(part: Part, stamp: Stamp) -> _Shared:
    cause = part.origin.event
    return _Shared(
        id=stamp.id,
        at=stamp.at,
        channel=cause.channel,
        conversation=cause.conversation,
        part_id=part.part_id,
        message_id=part.message_id,
        slot=part.slot,
        of=part.of,
    )
