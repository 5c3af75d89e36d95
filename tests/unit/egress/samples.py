"""Events and parts as egress meets them, for tests; each differs from the sample only where a test says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from parley_common.events import (
    Evidence,
    FailureClass,
    Media,
    PartAttempted,
    PartFailed,
    PartSent,
    Reply,
    Slot,
    TurnDone,
    TurnOutcome,
)
from parley_egress.parts import Origin

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NUMBER = "+15550001111"
PERSON = "+15557772222"
PICTURE = Media(url="https://media.example/1.jpg", content_type="image/jpeg")

_PART: dict[str, Any] = {
    "id": "write-1",
    "at": NOON,
    "channel": "default",
    "conversation": "c" * 32,
    "part_id": "a" * 32,
    "message_id": "reply-1",
    "slot": Slot(turn=7, message=0, part=0),
    "of": 1,
}


def turn_done(**changes: Any) -> TurnDone:
    """A turn with one short reply."""
    fields: dict[str, Any] = {
        "id": "turn-1",
        "at": NOON,
        "channel": "default",
        "conversation": "c" * 32,
        "upto": 6,
        "first": 6,
        "outcome": TurnOutcome.ANSWERED,
        "sender": NUMBER,
        "contact": PERSON,
        "expires_at": NOON,
        "messages": (Reply(id="reply-1", text="hello"),),
    }
    return TurnDone(**(fields | changes))


def stored_turn(*messages: Reply, seq: int = 7) -> Origin:
    """The turn as it stands in the stream."""
    return Origin(
        subject="conv.c.own.done", seq=seq, event=turn_done(messages=messages), headers={}, stored_at=NOON
    )


def attempted(**changes: Any) -> PartAttempted:
    """An attempt at the only part of the first reply."""
    fields = {"sender": NUMBER, "contact": PERSON, "body": "hello", "attempt": 1, "worker": "w"}
    return PartAttempted(**(_PART | fields | changes))


def sent(**changes: Any) -> PartSent:
    """Its success."""
    fields = {"attempted": 8, "sid": "SM" + "0" * 32, "segments": 1, "evidence": Evidence.RESPONSE}
    return PartSent(**(_PART | fields | changes))


def failed(**changes: Any) -> PartFailed:
    """Its failure, for good."""
    fields = {"attempted": 8, "failure": FailureClass.RECIPIENT, "final": True, "reason": "no such number"}
    return PartFailed(**(_PART | fields | changes))
