"""The wire: every event comes back as it went, across two releases that run side by side."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from parley_common.events import (
    AnyEvent,
    ConsentCause,
    ConsentChanged,
    ConversationReleased,
    ConversationTaken,
    DeadLetter,
    DeliveryReport,
    Event,
    Evidence,
    FailureClass,
    HashKeyKept,
    InboundMessage,
    Keyword,
    LetterReplayed,
    LogRead,
    Media,
    OutboundMessage,
    PartAttempted,
    PartEvent,
    PartFailed,
    PartSent,
    Priority,
    Reply,
    Restored,
    SendingSwitched,
    Slot,
    Taken,
    Tally,
    TurnBegun,
    TurnDone,
    TurnOutcome,
    decode,
    encode,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
PERSON, NUMBER = "+15550100200", "+15550100100"
PICTURE = Media(url="https://api.example/media/1", content_type="image/png")
COMMON: dict[str, Any] = {"id": "e1", "at": AT, "channel": "default", "conversation": "c" * 32}
TALLY = Tally(day="2026-01-02", answers=3, level=1.5, level_at=AT, apologised_at=AT)
PART: dict[str, Any] = COMMON | {
    "part_id": "p" * 32,
    "message_id": "m" * 32,
    "slot": Slot(turn=7, message=0, part=1),
    "of": 2,
}

EVENTS: Mapping[str, AnyEvent] = {
    "a takeover": ConversationTaken(
        **COMMON, upto=6, tally=msgspec.structs.replace(TALLY, taken=Taken(at=AT, until=AT, by="the desk"))
    ),
    "a hand-back": ConversationReleased(**COMMON, upto=6, tally=TALLY),
    "a change of consent": ConsentChanged(
        **COMMON,
        scope=NUMBER,
        contact=PERSON,
        granted=False,
        cause=ConsentCause.TWILIO_21610,
        earlier=("e0",),
    ),
    "a text": InboundMessage(
        **COMMON,
        account_sid="AC1",
        contact=PERSON,
        recipient=NUMBER,
        messaging_service_sid="MG1",
        body='{"type":"TurnDone"} — ünï 👩‍👧\n',
        media=(PICTURE,),
        keyword=Keyword.STOP,
        segments=2,
        profile_name="P",
        backfilled=True,
    ),
    "a turn's start": TurnBegun(**COMMON, upto=3, first=4, last=6, attempt=2, worker="w", tally=TALLY),
    "a turn's end": TurnDone(
        **COMMON,
        upto=6,
        first=4,
        outcome=TurnOutcome.ANSWERED,
        sender=NUMBER,
        contact=PERSON,
        expires_at=AT,
        messages=(Reply(id="r1", text="**hi**", media=(PICTURE,)),),
        tally=TALLY,
    ),
    "an attempt": PartAttempted(
        **PART,
        sender=NUMBER,
        contact=PERSON,
        body="hi",
        attempt=1,
        worker="w",
        media=(PICTURE,),
        rest=("there",),
    ),
    "a part sent": PartSent(
        **PART, attempted=9, sid="SM1", segments=1, evidence=Evidence.CALLBACK, twilio_status="queued"
    ),
    "a part failed": PartFailed(
        **PART, attempted=9, failure=FailureClass.OPTED_OUT, final=True, reason="they said STOP", code=21610
    ),
    "a delivery report": DeliveryReport(
        **COMMON,
        account_sid="AC1",
        sid="SM1",
        status="delivered",
        part_id="p" * 32,
        error_code=30003,
        carrier_done_at="2601020304",
    ),
    "a dead letter": DeadLetter(
        **COMMON, stream="CONVERSATIONS", sequence=4, subject="conv.c.in", reason="why", service="agent"
    ),
    "a letter replayed": LetterReplayed(**COMMON, letter="d1"),
    "a message of ours": OutboundMessage(
        **COMMON,
        sender=NUMBER,
        contact=PERSON,
        expires_at=AT,
        messages=(Reply(id="r1", text="hi"),),
        priority=Priority.OPERATOR,
        not_before=AT,
    ),
    "a switch": SendingSwitched(**COMMON, paused=True, reason="too many complaints"),
    "a restore": Restored(**COMMON, taken_at=AT),
    "a log read": LogRead(**COMMON, upto=AT),
    "a hash key kept": HashKeyKept(**COMMON, fingerprint="f" * 32),
}

OPTIONAL: Mapping[str, Mapping[str, object]] = {
    "a change of consent": {"earlier": ()},
    "a text": {
        "messaging_service_sid": None,
        "body": "",
        "media": (),
        "keyword": None,
        "segments": 1,
        "profile_name": None,
        "backfilled": False,
    },
    "a turn's start": {"tally": Tally()},
    "a turn's end": {"messages": (), "tally": Tally()},
    "a message of ours": {"priority": Priority.NOTIFICATION, "not_before": None},
    "an attempt": {"media": (), "rest": ()},
    "a part sent": {"twilio_status": None},
    "a part failed": {"code": None},
    "a delivery report": {"part_id": None, "error_code": None, "carrier_done_at": None},
}

every_event = pytest.mark.parametrize("name", EVENTS)


def concrete(kind: type[Event]) -> set[type[Event]]:
    below = {leaf for child in kind.__subclasses__() for leaf in concrete(child)}
    return below or {kind}


def test_no_kind_of_event_is_left_out_here() -> None:
    assert {type(event) for event in EVENTS.values()} == concrete(Event) - {PartEvent}


@every_event
def test_an_event_comes_back_as_it_went(name: str) -> None:
    assert decode(encode(EVENTS[name])) == EVENTS[name]


@every_event
def test_the_bytes_name_the_kind_and_no_other_words_are_needed(name: str) -> None:
    wire = json.loads(encode(EVENTS[name]))
    assert wire["type"] == type(EVENTS[name]).__name__
    assert wire["at"] == "2026-01-02T03:04:05.678901Z"


@every_event
def test_a_field_of_a_newer_release_is_ignored(name: str) -> None:
    wire = json.loads(encode(EVENTS[name])) | {"of_a_newer_release": {"deep": [1]}}
    assert decode(json.dumps(wire).encode()) == EVENTS[name]


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_field_that_an_older_release_did_not_write_has_its_default(name: str) -> None:
    wire = json.loads(encode(EVENTS[name]))
    older = {key: value for key, value in wire.items() if key not in OPTIONAL[name]}
    assert decode(json.dumps(older).encode()) == msgspec.structs.replace(EVENTS[name], **OPTIONAL[name])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b'{"type":"TurnBegun","id":"\xff"}', id="no UTF-8 inside"),
        pytest.param(b"0", id="a number"),
        pytest.param(b"{}", id="no type"),
        pytest.param(b'{"type":"Unheard"}', id="an unknown type"),
        pytest.param(b'{"type":"TurnBegun","id":"x"}', id="fields missing"),
    ],
)
def test_bytes_that_hold_no_event_are_refused_as_such(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(data)


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVENTS["a text"].id = "another"  # type: ignore[misc]


def test_slots_are_ordered_as_a_person_reads_them() -> None:
    read = [
        Slot(turn=1, message=0, part=0),
        Slot(turn=1, message=0, part=1),
        Slot(turn=1, message=1, part=0),
        Slot(turn=2, message=0, part=0),
    ]
    backwards = list(reversed(read))
    assert sorted(backwards) == read
