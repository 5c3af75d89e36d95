"""Where a conversation stands after the last event of its own chain."""

import pytest

from parley_agent.tail import Tail, fold
from parley_common.events import AnyEvent, DeadLetter, TurnOutcome
from unit.agent.builders import AT, a_start, a_text, an_end

START = a_start(upto=3, first=4, last=6, attempt=2)


@pytest.mark.parametrize(
    ("event", "tail"),
    [
        pytest.param(an_end(upto=6), Tail(seq=9, upto=6), id="an end moves the cursor"),
        pytest.param(
            an_end(upto=6, outcome=TurnOutcome.UNREADABLE), Tail(seq=9, upto=6), id="whatever the outcome"
        ),
        pytest.param(START, Tail(seq=9, upto=3, begun=START), id="a start leaves it and stands open"),
    ],
)
def test_the_last_event_tells_all(event: AnyEvent, tail: Tail) -> None:
    assert fold(event, 9) == tail


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(a_text(), id="a text"),
        pytest.param(
            DeadLetter(
                id="d",
                at=AT,
                channel="",
                conversation="c",
                stream="S",
                sequence=1,
                subject="s",
                reason="r",
                service="a",
            ),
            id="a dead letter",
        ),
    ],
)
def test_what_has_no_place_in_the_chain_is_refused_by_name(event: AnyEvent) -> None:
    with pytest.raises(ValueError, match=type(event).__name__):
        fold(event, 9)


def test_a_conversation_without_events_is_new_and_begins_at_nothing() -> None:
    assert Tail() == Tail(seq=0, upto=0, begun=None)
    assert Tail().is_new


def test_a_conversation_whose_first_turn_only_began_is_new() -> None:
    assert fold(a_start(upto=0, first=4, last=6), 9).is_new


def test_a_conversation_with_an_ended_turn_is_not_new() -> None:
    assert not fold(an_end(upto=6), 9).is_new
