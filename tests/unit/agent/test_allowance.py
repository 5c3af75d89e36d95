"""What a conversation may have: caps of a day, the loop guard's bucket, one apology a day (P13, P14)."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_agent.allowance import (
    LOOP_CAPACITY,
    LOOP_DRAIN_S,
    after_answer,
    after_apology,
    after_notice,
    after_offline,
    after_tokens,
    after_words,
    is_used_up,
    loops,
    owes_apology,
    owes_notice,
    owes_offline,
)
from parley_common.events import Tally
from unit.agent.builders import AT

SECOND = timedelta(seconds=1)
TODAY = AT.date().isoformat()
FULL = Tally(level=LOOP_CAPACITY, level_at=AT)


def answered(tally: Tally, times: int, *, now: datetime = AT, messages: int = 1) -> Tally:
    for _ in range(times):
        tally = after_answer(tally, now, messages=messages, answered=True)
    return tally


@pytest.mark.parametrize(
    ("tally", "cap", "capped"),
    [
        pytest.param(Tally(), 1, False, id="nothing yet"),
        pytest.param(Tally(day=TODAY, answers=2), 3, False, id="one is left"),
        pytest.param(Tally(day=TODAY, answers=3), 3, True, id="none is left"),
        pytest.param(Tally(day=TODAY, answers=9), 3, True, id="the cap was lowered"),
        pytest.param(Tally(day="2026-01-01", answers=3), 3, False, id="that was yesterday"),
        pytest.param(Tally(day=TODAY, answers=9), 0, False, id="there is no cap"),
    ],
)
def test_answers_are_capped_by_the_day(tally: Tally, cap: int, *, capped: bool) -> None:
    assert is_used_up(tally, AT, daily_answers=cap) is capped


def test_a_day_is_that_of_utc() -> None:
    late_in_new_york = AT.replace(hour=23).astimezone(timezone(timedelta(hours=-5)))
    tally = after_answer(Tally(), late_in_new_york, messages=1, answered=True)
    assert tally.day == TODAY
    assert not is_used_up(tally, late_in_new_york + timedelta(hours=2), daily_answers=1)


def test_answers_are_counted_anew_each_day() -> None:
    tomorrow = AT + timedelta(days=1)
    tally = answered(answered(Tally(), 3), 1, now=tomorrow)
    assert (tally.day, tally.answers) == (tomorrow.date().isoformat(), 1)


def test_so_many_messages_in_a_row_and_no_more() -> None:
    most = int(LOOP_CAPACITY)
    assert not loops(answered(Tally(), most - 1), AT)
    assert loops(answered(Tally(), most), AT)


@pytest.mark.parametrize(
    ("passed_s", "full"),
    [(0.0, True), (LOOP_DRAIN_S - 1, True), (LOOP_DRAIN_S, False), (3600.0, False)],
)
def test_a_full_bucket_takes_one_more_once_one_has_drained(passed_s: float, *, full: bool) -> None:
    assert loops(FULL, AT + SECOND * passed_s) is full


def test_a_clock_that_is_behind_drains_nothing() -> None:
    assert loops(FULL, AT - timedelta(hours=1))


@pytest.mark.parametrize(("messages", "level"), [(0, 1.0), (1, 1.0), (3, 3.0), (500, LOOP_CAPACITY)])
def test_a_turn_weighs_as_many_messages_as_it_has_and_one_at_least(messages: int, level: float) -> None:
    assert after_answer(Tally(), AT, messages=messages, answered=True).level == level


def test_only_an_answer_greets() -> None:
    failed = after_answer(Tally(), AT, messages=1, answered=False)
    assert not failed.greeted
    assert after_answer(answered(failed, 1), AT, messages=1, answered=False).greeted


@given(st.lists(st.floats(min_value=0.0, max_value=60.0), max_size=200))
def test_never_more_than_twilio_takes_between_two_numbers(pauses_s: list[float]) -> None:
    now, tally, written = AT, Tally(), []
    for pause_s in pauses_s:
        now += SECOND * pause_s
        if not loops(tally, now):
            tally = after_answer(tally, now, messages=1, answered=True)
            written.append(now)
    assert all(sum(start <= at <= start + SECOND * 30 for at in written) <= 30 for start in written)


@pytest.mark.parametrize(
    ("apologised_before", "owed"),
    [
        pytest.param(None, True, id="never"),
        pytest.param(timedelta(0), False, id="just now"),
        pytest.param(timedelta(hours=24) - SECOND, False, id="less than a day ago"),
        pytest.param(timedelta(hours=24), True, id="a day ago"),
    ],
)
def test_an_apology_is_owed_once_a_day(apologised_before: timedelta | None, *, owed: bool) -> None:
    tally = Tally() if apologised_before is None else after_apology(Tally(), AT - apologised_before)
    assert owes_apology(tally, AT) is owed


@pytest.mark.parametrize(
    ("told_before", "owed"),
    [
        pytest.param(None, True, id="never"),
        pytest.param(timedelta(hours=24) - SECOND, False, id="less than a day ago"),
        pytest.param(timedelta(hours=24), True, id="a day ago"),
    ],
)
def test_a_person_is_told_once_a_day_that_nobody_answers(told_before: timedelta | None, *, owed: bool) -> None:
    tally = Tally() if told_before is None else after_offline(Tally(), AT - told_before)
    assert owes_offline(tally, AT) is owed


@pytest.mark.parametrize(("tokens", "cap", "capped"), [(9, 10, False), (10, 10, True), (10, 0, False)])
def test_tokens_are_capped_by_the_day(tokens: int, cap: int, *, capped: bool) -> None:
    tally = after_answer(Tally(), AT, messages=1, answered=True, tokens=tokens)
    assert is_used_up(tally, AT, daily_answers=0, daily_tokens=cap) is capped
    assert not is_used_up(tally, AT + timedelta(days=1), daily_answers=0, daily_tokens=cap)


def test_tokens_without_an_answer_are_those_of_their_day() -> None:
    tally = after_tokens(answered(Tally(tokens=7, day="2026-01-01"), 2), AT, 30)
    assert (tally.day, tally.answers, tally.tokens) == (TODAY, 2, 30)
    tomorrow = AT + timedelta(days=1)
    anew = after_tokens(tally, tomorrow, 5)
    assert (anew.answers, anew.tokens, anew.level, anew.greeted) == (0, 5, 2.0, True)


def test_words_that_no_brain_was_asked_for_weigh_in_the_loop_guard_and_are_no_answers() -> None:
    tally = Tally()
    for _ in range(int(LOOP_CAPACITY)):
        assert not loops(tally, AT)
        tally = after_words(tally, AT)
    assert loops(tally, AT)
    assert (tally.answers, tally.greeted) == (0, False)


def test_a_person_is_told_of_the_cap_once_a_day() -> None:
    told = after_notice(Tally(), AT)
    assert [owes_notice(Tally(), AT), owes_notice(told, AT)] == [True, False]
    assert owes_notice(told, AT + timedelta(days=1))


def test_what_is_counted_beside_stays_as_it_was() -> None:
    tally = after_notice(after_apology(answered(Tally(), 2), AT), AT)
    assert tally == Tally(
        day=TODAY, answers=2, level=2.0, level_at=AT, apologised_at=AT, capped_on=TODAY, greeted=True
    )
