"""One part of a message: its row, how events change it, and which delivery reports are about it.

Every function gives the same row for the same events in any order, however often each comes. Pure; SQL is
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from parley_common.events import DeliveryReport, PartAttempted, PartFailed, PartSent, SendEvent
from parley_status.delivery import RANKS, settle
from parley_status.states import BROKEN, Phase, State, part_state

_ERROR_PAGES = "https://www.twilio.com/docs/api/errors"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part as it is kept. ``turn``, ``message`` and ``part`` are its slot, the later one if it was sent again.

    ``phase_sequence`` is the stream sequence of the event that set ``phase``. ``first_status`` is what Twilio
    answered to the POST, ``status`` what all reports come to, ``conflict`` the final words that contradict.
    ``asked`` counts how often Twilio was asked for its delivery, ``asked_at`` is when it was last; no event tells.
    """

    part_id: str
    message_id: str
    conversation: str
    channel: str
    turn: int
    message: int
    part: int
    of: int
    phase: Phase
    phase_sequence: int
    state: State
    sender: str | None = None
    body: str | None = None
    attempts: int = 0
    attempted_at: datetime | None = None
    sid: str | None = None
    segments: int = 0
    sent_at: datetime | None = None
    first_status: str | None = None
    failure: str | None = None
    failure_code: int | None = None
    failure_reason: str | None = None
    failed_at: datetime | None = None
    status: str | None = None
    status_at: datetime | None = None
    error_code: int | None = None
    conflict: str | None = None
    asked: int = 0
    asked_at: datetime | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One status callback as it is kept, whether or not its part is known yet."""

    event_id: str
    sid: str
    part_id: str | None
    conversation: str
    channel: str
    status: str
    error_code: int | None
    at: datetime
    carrier_done_at: str | None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was not sent or did not arrive, in words.

    ``kind`` is the sender's class where it has one, ``code`` Twilio's error code.
    """

    kind: str | None
    code: int | None
    reason: str


def fold_part(part: Part | None, sequence: int, event: SendEvent) -> Part:
    """The part after an event about it, which has this sequence in its stream."""
    row = part or _begin(event)
    if sequence > row.phase_sequence:
        row = msgspec.structs.replace(
            row,
            phase=_phase(event),
            phase_sequence=sequence,
            turn=event.slot.turn,
            message=event.slot.message,
            part=event.slot.part,
            of=event.of,
            failure=event.failure.value if isinstance(event, PartFailed) else None,
            failure_code=event.code if isinstance(event, PartFailed) else None,
            failure_reason=event.reason if isinstance(event, PartFailed) else None,
            failed_at=event.at if isinstance(event, PartFailed) else None,
        )
    match event:
        case PartAttempted():
            return _fold_attempt(row, event)
        case PartSent():
            return msgspec.structs.replace(
                row,
                sid=event.sid,
                segments=event.segments,
                sent_at=event.at,
                first_status=event.twilio_status,
            )
        case PartFailed():
            return row


def _begin(event: SendEvent) -> Part:
    return Part(
        part_id=event.part_id,
        message_id=event.message_id,
        conversation=event.conversation,
        channel=event.channel,
        turn=event.slot.turn,
        message=event.slot.message,
        part=event.slot.part,
        of=event.of,
        phase=Phase.WAITING,
        phase_sequence=0,
        state=State.QUEUED,
    )


def _phase(event: SendEvent) -> Phase:
    match event:
        case PartAttempted():
            return Phase.ATTEMPTED
        case PartSent():
            return Phase.SENT
        case PartFailed():
            return Phase.FAILED if event.final else Phase.WAITING


def _fold_attempt(row: Part, event: PartAttempted) -> Part:
    if event.attempt <= row.attempts:
        return row
    return msgspec.structs.replace(
        row, attempts=event.attempt, attempted_at=event.at, sender=event.sender, body=event.body
    )


def report_of(event: DeliveryReport) -> Report:
    """The row of a status callback."""
    return Report(
        event_id=event.id,
        sid=event.sid,
        part_id=event.part_id,
        conversation=event.conversation,
        channel=event.channel,
        status=event.status,
        error_code=event.error_code,
        at=event.at,
        carrier_done_at=event.carrier_done_at,
    )


def concerns(report: Report, part: Part) -> bool:
    """Whether a report is about this part: by its SID, or by the id that our callback URL carried.

    The id counts only from the part's own channel and person, since whoever signs for another channel could
    have written any id into a URL.
    """
    if report.channel != part.channel:
        return False
    by_id = report.part_id == part.part_id and report.conversation == part.conversation
    return by_id or (part.sid is not None and report.sid == part.sid)


def settle_part(part: Part, reports: Iterable[Report]) -> Part:
    """The part with what all reports about it come to."""
    known = sorted((r for r in reports if r.status in RANKS), key=lambda r: (r.at, r.event_id))
    first = () if part.first_status is None else (part.first_status,)
    delivery = settle((*first, *(report.status for report in known)))
    telling = [report for report in known if report.status == delivery.status]
    return msgspec.structs.replace(
        part,
        status=delivery.status,
        status_at=telling[0].at if telling else part.sent_at,
        error_code=next((r.error_code for r in telling if r.error_code is not None), None),
        conflict=",".join(delivery.conflict) or None,
        state=part_state(part.phase, delivery.status),
    )


def failure_of(part: Part) -> Failure | None:
    """What went wrong with a part last: what Twilio reported after it took the part, else why it did not."""
    if part.status is not None and part_state(part.phase, part.status) in BROKEN:
        return Failure(kind=None, code=part.error_code, reason=_words(part.status, part.error_code))
    if part.failure is not None and part.status is None:
        return Failure(kind=part.failure, code=part.failure_code, reason=part.failure_reason or part.failure)
    return None


def _words(status: str, code: int | None) -> str:
    if code is None:
        return f"Twilio reports the text as {status} and gives no error code."
    return f"Twilio reports the text as {status}, error {code}: see {_ERROR_PAGES}/{code}"
