"""Which texts come too late for an answer (P13)."""

from datetime import timedelta

import pytest

from parley_agent.lateness import Moment, Standing, standing, standing_of
from unit.agent.builders import AT, a_text

HALF_AN_HOUR = timedelta(minutes=30)
A_MOMENT = timedelta(microseconds=1)


def at(age: timedelta, max_age: timedelta | None = HALF_AN_HOUR) -> Moment:
    return Moment(now=AT + age, max_age=max_age)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param(at(timedelta(0)), Standing.FRESH, id="it came just now"),
        pytest.param(at(HALF_AN_HOUR), Standing.FRESH, id="it is just in time"),
        pytest.param(at(HALF_AN_HOUR + A_MOMENT), Standing.LATE, id="it is a moment too old"),
        pytest.param(at(timedelta(days=29)), Standing.LATE, id="it is weeks old"),
        pytest.param(at(timedelta(days=29), None), Standing.FRESH, id="any age is answered"),
        pytest.param(at(-HALF_AN_HOUR * 3), Standing.FRESH, id="its clock is ahead of ours"),
    ],
)
def test_a_text_is_late_by_the_time_at_which_twilio_received_it(moment: Moment, expected: Standing) -> None:
    assert standing(a_text(), moment) is expected


@pytest.mark.parametrize(
    ("restored_after", "max_age", "expected"),
    [
        pytest.param(timedelta(0), None, Standing.UNKNOWN, id="at the very moment"),
        pytest.param(timedelta(hours=1), None, Standing.UNKNOWN, id="before it"),
        pytest.param(-A_MOMENT, None, Standing.FRESH, id="after it"),
        pytest.param(timedelta(hours=1), HALF_AN_HOUR, Standing.UNKNOWN, id="before it, and late"),
        pytest.param(-A_MOMENT, HALF_AN_HOUR, Standing.LATE, id="after it, and late"),
    ],
)
def test_a_text_from_before_a_restore_was_perhaps_answered(
    restored_after: timedelta, max_age: timedelta | None, expected: Standing
) -> None:
    moment = Moment(now=AT + timedelta(hours=2), max_age=max_age, restored_at=AT + restored_after)
    assert standing(a_text(), moment) is expected


def test_a_turn_is_late_only_where_all_of_its_texts_are() -> None:
    moment = at(HALF_AN_HOUR + A_MOMENT)
    late, fresh = a_text(), a_text(at=AT + timedelta(minutes=1))
    assert standing_of([late, late], moment) is Standing.LATE
    assert standing_of([late, fresh], moment) is Standing.FRESH


def test_a_turn_is_perhaps_answered_where_one_of_its_texts_is() -> None:
    moment = Moment(now=AT + timedelta(hours=2), max_age=HALF_AN_HOUR, restored_at=AT)
    assert standing_of([a_text(), a_text(at=AT + A_MOMENT)], moment) is Standing.UNKNOWN
