"""The chain of sends: its last event alone says what is next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from parley_common.events import (
    AnyEvent,
    ConsentCause,
    ConsentChanged,
    DeadLetter,
    DeliveryReport,
    InboundMessage,
    SendEvent,
    Slot,
    TurnBegun,
)
from parley_egress.chain import End, Place, Standing, after, fold
from unit.egress.samples import NOON, attempted, failed, sent, turn_done

CHAIN = "conv.c.send"
LATER = datetime(2026, 11, 21, 12, 5, tzinfo=UTC)
ENVELOPE: dict[str, Any] = {"id": "x", "at": NOON, "channel": "default", "conversation": "c" * 32}


def slot(*, message: int = 0, part: int = 0) -> Slot:
    return Slot(turn=7, message=message, part=part)


@pytest.mark.parametrize(
    ("event", "standing"),
    [
        pytest.param(attempted(), Standing.IN_DOUBT, id="an attempt without an outcome"),
        pytest.param(attempted(attempt=3), Standing.IN_DOUBT, id="a third attempt without an outcome"),
        pytest.param(attempted(of=3, slot=slot(part=1)), Standing.IN_DOUBT, id="an attempt in the middle"),
        pytest.param(sent(of=1), Standing.MESSAGE_OVER, id="the only part is sent"),
        pytest.param(sent(of=2), Standing.MORE_PARTS, id="the first of two parts is sent"),
        pytest.param(sent(of=3, slot=slot(part=1)), Standing.MORE_PARTS, id="the middle part is sent"),
        pytest.param(sent(of=3, slot=slot(part=2)), Standing.MESSAGE_OVER, id="the last part is sent"),
        pytest.param(failed(final=False), Standing.TRY_AGAIN, id="a failure that may pass"),
        pytest.param(failed(final=False, of=2, slot=slot(part=1)), Standing.TRY_AGAIN, id="of the second part"),
        pytest.param(failed(final=True), Standing.MESSAGE_OVER, id="a failure for good"),
        pytest.param(
            failed(final=True, of=3), Standing.MESSAGE_OVER, id="parts after a final failure are dropped"
        ),
        pytest.param(failed(final=True, attempted=0), Standing.MESSAGE_OVER, id="a failure without an attempt"),
    ],
)
def test_the_last_event_says_what_is_next(event: SendEvent, standing: Standing) -> None:
    assert fold(CHAIN, event, 9, LATER).standing is standing


def test_a_chain_without_events_is_empty() -> None:
    assert End(chain=CHAIN).standing is Standing.EMPTY
    assert (End(chain=CHAIN).seq, End(chain=CHAIN).slot, End(chain=CHAIN).attempt_seq) == (0, None, 0)


def test_the_end_remembers_where_and_when_the_event_was_stored() -> None:
    end = fold(CHAIN, attempted(), 9, LATER)
    assert (end.seq, end.stored_at, end.slot) == (9, LATER, slot())


@pytest.mark.parametrize(
    ("event", "seq"),
    [
        pytest.param(attempted(), 9, id="an attempt is its own"),
        pytest.param(sent(attempted=5), 5, id="a success names the attempt it ends"),
        pytest.param(failed(attempted=5, final=False), 5, id="so does a failure"),
        pytest.param(failed(attempted=0), 0, id="a failure without an attempt names none"),
    ],
)
def test_the_end_names_its_attempt(event: SendEvent, seq: int) -> None:
    assert fold(CHAIN, event, 9, LATER).attempt_seq == seq


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(turn_done(), id="TurnDone"),
        pytest.param(TurnBegun(upto=0, first=1, last=1, attempt=1, worker="w", **ENVELOPE), id="TurnBegun"),
        pytest.param(
            InboundMessage(account_sid="AC", contact="+1", recipient="+2", **ENVELOPE), id="InboundMessage"
        ),
        pytest.param(
            ConsentChanged(scope="+1", contact="+2", granted=True, cause=ConsentCause.KEYWORD, **ENVELOPE),
            id="ConsentChanged",
        ),
        pytest.param(DeliveryReport(account_sid="AC", sid="SM", status="sent", **ENVELOPE), id="DeliveryReport"),
        pytest.param(
            DeadLetter(stream="S", sequence=1, subject="s", reason="r", service="egress", **ENVELOPE),
            id="DeadLetter",
        ),
    ],
)
def test_an_event_of_another_kind_is_refused_by_name(event: AnyEvent) -> None:
    with pytest.raises(ValueError, match=f"{type(event).__name__} has no place in a chain of sends"):
        fold(CHAIN, event, 9, LATER)


@pytest.mark.parametrize(
    ("end", "place"),
    [
        pytest.param(End(chain=CHAIN), Place(turn=1, message=0), id="nothing sent yet: the first turn there is"),
        pytest.param(
            fold(CHAIN, sent(), 9, LATER), Place(turn=7, message=1), id="the next message of the same turn"
        ),
        pytest.param(
            fold(CHAIN, failed(slot=slot(message=2)), 9, LATER),
            Place(turn=7, message=3),
            id="after a failure as well",
        ),
        pytest.param(
            fold(CHAIN, failed(of=4, slot=slot(message=1, part=1)), 9, LATER),
            Place(turn=7, message=2),
            id="the parts after a final failure are passed over",
        ),
    ],
)
def test_the_message_after_the_end_is_looked_at_next(end: End, place: Place) -> None:
    assert after(end) == place
