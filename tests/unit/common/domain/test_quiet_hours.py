"""Quiet hours go by the clock on the wall, on days too on which it leaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.quiet_hours import QuietHours, parse_quiet_hours

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = parse_quiet_hours("21:00-08:00 America/New_York")
SIESTA = parse_quiet_hours("13:00-15:30 Europe/Madrid")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "over"),
    [
        pytest.param(NIGHT, "2026-11-21T18:00", "2026-11-21T18:00", id="by day"),
        pytest.param(NIGHT, "2026-11-22T01:59", "2026-11-22T01:59", id="a minute before"),
        pytest.param(NIGHT, "2026-11-22T02:00", "2026-11-22T13:00", id="at the first minute"),
        pytest.param(NIGHT, "2026-11-22T04:30", "2026-11-22T13:00", id="before midnight"),
        pytest.param(NIGHT, "2026-11-22T06:30", "2026-11-22T13:00", id="after midnight"),
        pytest.param(NIGHT, "2026-11-22T13:00", "2026-11-22T13:00", id="at the end"),
        pytest.param(SIESTA, "2026-07-01T11:10", "2026-07-01T13:30", id="hours within one day"),
        pytest.param(SIESTA, "2026-07-01T14:00", "2026-07-01T14:00", id="after them"),
    ],
)
def test_what_comes_in_quiet_hours_waits_for_their_end(hours: QuietHours, now: str, over: str) -> None:
    assert hours.over_at(utc(now)) == utc(over)
    assert hours.hold(utc(now)) == (now != over)


@pytest.mark.parametrize(
    ("hours", "now", "over"),
    [
        # New York, 8 March 2026: from 2:00 to 3:00, at 7:00 UTC. 1 November: from 2:00 back to 1:00, at 6:00 UTC.
        pytest.param("21:00-08:00", "2026-03-08T04:00", "2026-03-08T12:00", id="a short night"),
        pytest.param("21:00-08:00", "2026-11-01T03:00", "2026-11-01T13:00", id="a long night"),
        pytest.param("21:00-02:30", "2026-03-08T05:00", "2026-03-08T07:00", id="an end that no clock shows"),
        pytest.param("01:45-02:30", "2026-03-08T06:50", "2026-03-08T07:00", id="both ends near the leap"),
        pytest.param("02:15-02:45", "2026-03-08T07:00", "2026-03-08T07:00", id="hours that no clock shows"),
        pytest.param("21:00-01:30", "2026-11-01T04:00", "2026-11-01T05:30", id="an end that comes twice"),
        pytest.param("21:00-01:30", "2026-11-01T05:45", "2026-11-01T05:45", id="after its first"),
        pytest.param(
            "21:00-01:30", "2026-11-01T06:10", "2026-11-01T06:30", id="quiet once more before its second"
        ),
    ],
)
def test_the_clock_leaps_and_the_hours_go_by_what_it_shows(hours: str, now: str, over: str) -> None:
    found = parse_quiet_hours(f"{hours} America/New_York").over_at(utc(now))
    assert abs(found - utc(over)) <= timedelta(seconds=1)
    assert found >= utc(over)


MOMENTS = st.integers(0, 2 * 366 * 24 * 3_600).map(lambda s: utc("2026-01-01") + timedelta(seconds=s))
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda c: f"{c[0]:02}:{c[1]:02}")
ZONES = st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])


@given(MOMENTS, CLOCKS, CLOCKS, ZONES)
def test_the_end_is_never_quiet_nor_before_now_nor_far(now: datetime, start: str, end: str, zone: str) -> None:
    if start == end:
        return
    hours = parse_quiet_hours(f"{start}-{end} {zone}")
    over = hours.over_at(now)
    assert not hours.hold(over)
    assert now <= over <= now + timedelta(hours=26)
    if over > now:
        assert all(hours.hold(now + (over - now) * part / 7) for part in range(7))


def test_the_answer_is_in_the_zone_of_the_question() -> None:
    assert NIGHT.over_at(utc("2026-11-22T04:00")).tzinfo is UTC
    assert NIGHT.over_at(datetime(2026, 11, 21, 23, 0, tzinfo=NEW_YORK)).tzinfo is NEW_YORK


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("21:00-08:00", "'21:00-08:00' are no hours with a zone"),
        ("9pm-8am America/New_York", "'9pm-8am America/New_York' are no hours with a zone"),
        ("21:00 - 08:00 UTC", "'21:00 - 08:00 UTC' are no hours with a zone"),
        ("24:00-08:00 UTC", "'24:00-08:00 UTC' has a time that no clock shows"),
        ("21:60-08:00 UTC", "'21:60-08:00 UTC' has a time that no clock shows"),
        ("08:00-08:00 UTC", "'08:00-08:00 UTC' starts when it ends"),
        ("21:00-08:00 New_York", "New_York is no time zone of this machine"),
        ("21:00-08:00 ../../etc/passwd", "../../etc/passwd is no time zone of this machine"),
        ("21:00-08:00 America", "America is no time zone of this machine"),
    ],
)
def test_hours_that_cannot_be_read_are_one_sentence_with_an_example(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="write them as in 21:00-08:00 America/New_York") as refused:
        parse_quiet_hours(text)
    assert str(refused.value).startswith(sentence)
