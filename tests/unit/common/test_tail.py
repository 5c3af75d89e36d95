"""Where a conversation stands after the last event of its own chain."""

import msgspec
import pytest

from parley_common.events import AnyEvent, DeadLetter, Tally, TurnDone, TurnOutcome
from parley_common.tail import Tail, fold
from unit.agent.builders import AT, a_start, a_text, an_end

TALLY = Tally(day="2026-01-02", answers=3, level=2.5, level_at=AT, capped_on="2026-01-01", greeted=True)
ANSWERED_TALLY = msgspec.structs.replace(TALLY, past=(9,))
START = a_start(upto=3, first=4, last=6, attempt=2, tally=TALLY)
ANSWERED = an_end(upto=6, tally=TALLY)
REFUSED = an_end(upto=6, outcome=TurnOutcome.NOT_ALLOWED, tally=TALLY)
WITH_LETTER = (TurnOutcome.FAILED, TurnOutcome.UNREADABLE)


@pytest.mark.parametrize(
    ("event", "tail"),
    [
        pytest.param(ANSWERED, Tail(seq=9, upto=6, tally=ANSWERED_TALLY), id="an end moves the cursor"),
        pytest.param(REFUSED, Tail(seq=9, upto=6, tally=TALLY), id="whatever the outcome"),
        pytest.param(START, Tail(seq=9, upto=3, begun=START, tally=TALLY), id="a start leaves it and stands open"),
    ],
)
def test_the_last_event_tells_all(event: AnyEvent, tail: Tail) -> None:
    assert fold(event, 9) == tail


@pytest.mark.parametrize("outcome", TurnOutcome)
def test_an_end_that_is_a_dead_letter_as_well_stands_out(outcome: TurnOutcome) -> None:
    end: TurnDone = an_end(outcome=outcome)
    assert fold(end, 9).lettered == (end if outcome in WITH_LETTER else None)


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


def test_a_conversation_without_events_begins_at_nothing() -> None:
    assert Tail() == Tail(seq=0, upto=0, begun=None, tally=Tally(), lettered=None)
    assert not Tail().tally.greeted


@pytest.mark.parametrize("outcome", TurnOutcome)
def test_whom_a_release_answered_that_kept_no_tally_is_known(outcome: TurnOutcome) -> None:
    assert fold(an_end(outcome=outcome), 9).tally.greeted is (outcome is TurnOutcome.ANSWERED)
