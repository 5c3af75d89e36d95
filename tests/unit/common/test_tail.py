"""Where a conversation stands after the last event of its own chain."""

import msgspec
import pytest

from parley_common.events import AnyEvent, DeadLetter, Taken, Tally, TurnDone, TurnOutcome
from parley_common.tail import Tail, fold
from unit.agent.builders import AT, a_release, a_start, a_takeover, a_text, an_end

TALLY = Tally(day="2026-01-02", answers=3, level=2.5, level_at=AT, capped_on="2026-01-01", greeted=True)
ANSWERED_TALLY = msgspec.structs.replace(TALLY, past=(9,))
HELD = msgspec.structs.replace(TALLY, taken=Taken(at=AT, until=AT, by="alice"))
LETTERED = an_end(upto=6, outcome=TurnOutcome.FAILED)
START = a_start(upto=3, first=4, last=6, attempt=2, tally=TALLY)
ANSWERED = an_end(upto=6, tally=TALLY)
REFUSED = an_end(upto=6, outcome=TurnOutcome.NOT_ALLOWED, tally=TALLY)
WITH_LETTER = (TurnOutcome.FAILED, TurnOutcome.UNREADABLE)


@pytest.mark.parametrize(
    ("event", "tail"),
    [
        pytest.param(ANSWERED, Tail(seq=9, upto=6, tally=ANSWERED_TALLY), id="an end moves the cursor"),
        pytest.param(REFUSED, Tail(seq=9, upto=6, tally=TALLY), id="whatever the outcome"),
        pytest.param(
            a_takeover(upto=6, tally=HELD),
            Tail(seq=9, upto=6, tally=HELD),
            id="a takeover leaves it and keeps all",
        ),
        pytest.param(
            a_takeover(upto=6, tally=HELD, lettered=LETTERED),
            Tail(seq=9, upto=6, tally=HELD, lettered=LETTERED),
            id="and a letter that may be outstanding",
        ),
        pytest.param(
            a_release(upto=6, tally=TALLY, lettered=LETTERED),
            Tail(seq=9, upto=6, tally=TALLY, lettered=LETTERED),
            id="so does handing back",
        ),
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
def test_a_brain_is_told_later_of_what_it_answered_and_of_handing_over(outcome: TurnOutcome) -> None:
    told = outcome in (TurnOutcome.ANSWERED, TurnOutcome.HANDED_OVER)
    assert fold(an_end(outcome=outcome, tally=Tally(past=(3,))), 9).tally.past == ((3, 9) if told else (3,))


@pytest.mark.parametrize("outcome", [TurnOutcome.HANDED_OVER, TurnOutcome.TAKEN])
def test_whom_the_brain_knew_before_a_takeover_it_knows_afterwards(outcome: TurnOutcome) -> None:
    assert fold(an_end(outcome=outcome, tally=Tally(greeted=True)), 9).tally.greeted


@pytest.mark.parametrize("outcome", TurnOutcome)
def test_whom_a_release_answered_that_kept_no_tally_is_known(outcome: TurnOutcome) -> None:
    assert fold(an_end(outcome=outcome), 9).tally.greeted is (outcome is TurnOutcome.ANSWERED)
