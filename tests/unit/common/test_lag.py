"""What the gauges of lag show, also where the broker has said nothing for a while."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from parley_common.lag import STALE_S, Look, shown_age_s, shown_count

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BUSY = Look(count=3, since=NOW - timedelta(seconds=40), at_s=100.0)
IDLE = Look(count=0, since=None, at_s=100.0)


def test_before_the_first_look_nothing_is_known() -> None:
    assert math.isnan(shown_count(None, 100.0))
    assert math.isnan(shown_age_s(None, NOW, 100.0))


def test_the_age_grows_between_two_looks() -> None:
    assert shown_count(BUSY, 101.0) == 3
    assert shown_age_s(BUSY, NOW, 100.0) == 40.0
    assert shown_age_s(BUSY, NOW + timedelta(seconds=3), 103.0) == 43.0


def test_what_was_seen_to_wait_goes_on_waiting_while_the_broker_says_nothing() -> None:
    late_s = 100.0 + STALE_S + 1.0
    assert math.isnan(shown_count(BUSY, late_s))
    assert shown_age_s(BUSY, NOW + timedelta(hours=1), late_s) == 3_640.0


def test_an_old_zero_is_not_shown_for_long() -> None:
    assert shown_age_s(IDLE, NOW, 100.0 + STALE_S) == 0.0
    assert math.isnan(shown_age_s(IDLE, NOW, 100.0 + STALE_S + 1.0))
    assert math.isnan(shown_count(IDLE, 100.0 + STALE_S + 1.0))


def test_a_broker_whose_clock_is_ahead_makes_no_negative_age() -> None:
    assert shown_age_s(Look(count=1, since=NOW + timedelta(seconds=2), at_s=100.0), NOW, 100.0) == 0.0
