"""Events for the tests of the status service: one person, one channel, one reply of two parts, one note."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    ConversationReleased,
    ConversationTaken,
    DeadLetter,
    DeliveryReport,
    Evidence,
    FailureClass,
    InboundMessage,
    LetterReplayed,
    Media,
    OutboundMessage,
    PartAttempted,
    PartFailed,
    PartSent,
    Priority,
    Reply,
    Slot,
    Taken,
    Tally,
    TurnBegun,
    TurnDone,
    TurnOutcome,
)
from parley_status.projection import Recorded

CHANNEL = "default"
CONVERSATION = "c" * 32
CONTACT = "+15551234567"
NUMBER = "+15550100000"
ACCOUNT = "AC" + "0" * 32
TURN = 30
NOTE = 50


def at(second: float) -> datetime:
    """So many seconds into the story."""
    return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=second)


def sid(part: int = 0) -> str:
    """The SID of a part of the reply."""
    return f"SM{part:032x}"


def common(second: float, **changes: Any) -> Any:
    """The fields that all events share."""
    return {"at": at(second), "channel": CHANNEL, "conversation": CONVERSATION} | changes


def inbound(message_id: str = "SMin", second: float = 0, **changes: Any) -> InboundMessage:
    """A text from the person."""
    fields = common(second) | {
        "account_sid": ACCOUNT,
        "contact": CONTACT,
        "recipient": NUMBER,
        "body": "Is the library open?",
        "media": (Media(url="https://api.example/picture", content_type="image/png"),),
    }
    return InboundMessage(id=message_id, **(fields | changes))


def begun(first: int, last: int) -> TurnBegun:
    """The agent takes the texts up."""
    return TurnBegun(id="begun", upto=first - 1, first=first, last=last, attempt=1, worker="w", **common(second=1))


def done(first: int, upto: int, second: float = 2, **changes: Any) -> TurnDone:
    """The agent answers with one reply."""
    fields = common(second) | {
        "outcome": TurnOutcome.ANSWERED,
        "sender": NUMBER,
        "contact": CONTACT,
        "expires_at": at(3600),
        "messages": (Reply(id="reply", text="Yes, **until six**."),),
    }
    return TurnDone(id=f"done-{first}", first=first, upto=upto, **(fields | changes))


def note(second: float = 30, **changes: Any) -> OutboundMessage:
    """An operator writes to the person."""
    fields = common(second) | {
        "sender": NUMBER,
        "contact": CONTACT,
        "expires_at": at(3600),
        "messages": (Reply(id="note", text="Your book is here."),),
        "priority": Priority.OPERATOR,
    }
    return OutboundMessage(id="outbound", **(fields | changes))


def of_note(second: float) -> Any:
    """The fields that the events of the note's only part share."""
    slot = Slot(turn=NOTE, message=0, part=0)
    return {"at": at(second), "part_id": "part-note", "message_id": "note", "slot": slot, "of": 1}


def of_part(part: int, second: float) -> Any:
    """The fields that the events of a part of the reply share."""
    slot = Slot(turn=TURN, message=0, part=part)
    return common(second) | {"part_id": f"part-{part}", "message_id": "reply", "slot": slot, "of": 2}


def attempted(part: int = 0, attempt: int = 1, second: float = 3) -> PartAttempted:
    """Egress is about to send a part."""
    return PartAttempted(
        id=f"attempted-{part}-{attempt}",
        sender=NUMBER,
        contact=CONTACT,
        body=f"Yes, until six. ({part + 1}/2)",
        attempt=attempt,
        worker="w",
        **of_part(part, second),
    )


def sent(part: int = 0, second: float = 4, **changes: Any) -> PartSent:
    """Twilio has a part."""
    fields = of_part(part, second) | {
        "id": f"sent-{part}",
        "attempted": 40,
        "sid": sid(part),
        "segments": 1,
        "evidence": Evidence.RESPONSE,
        "twilio_status": "queued",
    }
    return PartSent(**(fields | changes))


def failed(part: int = 0, second: float = 4, **changes: Any) -> PartFailed:
    """Twilio has refused a part."""
    fields = of_part(part, second) | {
        "attempted": 40,
        "failure": FailureClass.RECIPIENT,
        "final": True,
        "reason": "The number is not a mobile number.",
        "code": 21614,
    }
    return PartFailed(id=f"failed-{part}-{second}", **(fields | changes))


def report(status: str, part: int = 0, second: float = 5, **changes: Any) -> DeliveryReport:
    """Twilio says how far a part has come."""
    fields = common(second) | {
        "id": f"report-{part}-{status}-{second}",
        "account_sid": ACCOUNT,
        "sid": sid(part),
        "part_id": f"part-{part}",
    }
    return DeliveryReport(status=status, **(fields | changes))


def consent(*, granted: bool, second: float, **changes: Any) -> ConsentChanged:
    """The person says START or STOP."""
    fields = common(second) | {"scope": NUMBER, "contact": CONTACT, "cause": ConsentCause.KEYWORD}
    return ConsentChanged(id=f"consent-{second}-{granted}", granted=granted, **(fields | changes))


def taken(by: str = "alice", second: float = 40, until: float = 7200) -> ConversationTaken:
    """A member of staff answers from now on."""
    held = Taken(at=at(second), until=at(until), by=by)
    return ConversationTaken(id=f"taken-{second}", upto=47, tally=Tally(taken=held), **common(second=second))


def released(second: float = 50) -> ConversationReleased:
    """They hand back."""
    return ConversationReleased(id=f"released-{second}", upto=47, tally=Tally(), **common(second=second))


def letter(sequence: int = 7) -> DeadLetter:
    """Some service could not process something."""
    return DeadLetter(
        id=f"agent-{sequence}",
        stream="CONVERSATIONS",
        sequence=sequence,
        subject=f"conv.{CONVERSATION}.in",
        reason="the brain raised ValueError",
        service="agent",
        **common(second=9),
    )


def replayed(sequence: int = 7, second: float = 40) -> LetterReplayed:
    """An operator has had that processed again."""
    return LetterReplayed(id=f"replayed-{sequence}-{second}", letter=f"agent-{sequence}", **common(second))


def story() -> list[Recorded]:
    """Everything that can happen, once, as the streams hold it."""
    return [
        Recorded(10, inbound()),
        Recorded(11, inbound("SMin2", second=1, body="On Sunday?", media=())),
        Recorded(20, begun(10, 11)),
        Recorded(TURN, done(10, 11)),
        Recorded(40, attempted(0)),
        Recorded(41, sent(0)),
        Recorded(42, attempted(1)),
        Recorded(43, failed(1, second=4.5, final=False, failure=FailureClass.THROTTLED, code=20429)),
        Recorded(44, attempted(1, attempt=2, second=5)),
        Recorded(45, sent(1, second=6)),
        Recorded(46, inbound("SMin3", second=20)),
        Recorded(47, inbound("SMlate", second=21)),
        Recorded(48, done(47, 47, second=22, outcome=TurnOutcome.LATE, messages=())),
        Recorded(NOTE, note()),
        Recorded(51, msgspec.structs.replace(attempted(), id="attempted-note", **of_note(31))),
        Recorded(52, sent(id="sent-note", sid=sid(9), **of_note(32))),
        Recorded(53, taken()),
        Recorded(54, released()),
        Recorded(55, taken("bob", second=60)),
        Recorded(1, report("sent", 0, 5)),
        Recorded(2, report("delivered", 0, 7)),
        Recorded(3, report("sent", 1, 7, part_id=None)),
        Recorded(4, report("undelivered", 1, 8, error_code=30003)),
        Recorded(5, report("delivered", 1, 9)),
        Recorded(6, report("gone fishing", 1, 9.5)),
        Recorded(7, report("delivered", 7, 9, part_id=None)),
        Recorded(8, report("sent", 9, 33, part_id="part-note")),
        Recorded(1, consent(granted=False, second=10)),
        Recorded(2, consent(granted=True, second=12)),
        Recorded(1, letter()),
        Recorded(2, letter(8)),
        Recorded(3, replayed(7)),
    ]
