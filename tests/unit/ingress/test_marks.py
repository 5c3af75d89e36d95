"""What is read next of Twilio's log, and when a mark moves. Promise P9."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from parley_ingress.marks import OVERLAP, following, period

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AFTER, KEPT = timedelta(minutes=3), timedelta(days=30)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_all_since_the_mark_is_read_up_to_what_is_old_enough() -> None:
    assert period(NOW - minutes(15), NOW, after=AFTER, kept=KEPT) == (NOW - minutes(15), NOW - minutes(3))


@pytest.mark.parametrize("mark", [NOW, NOW - minutes(3), NOW + minutes(60)])
def test_nothing_is_read_before_something_is_old_enough(mark: datetime) -> None:
    assert period(mark, NOW, after=AFTER, kept=KEPT) is None


def test_what_the_stream_has_forgotten_is_not_read() -> None:
    assert period(NOW - timedelta(days=90), NOW, after=AFTER, kept=KEPT) == (NOW - KEPT, NOW - AFTER)


def test_a_mark_stays_behind_by_the_overlap() -> None:
    assert following(NOW - minutes(60), NOW) == NOW - OVERLAP


@pytest.mark.parametrize("mark", [NOW, NOW - OVERLAP, NOW - OVERLAP - minutes(9.9), NOW + minutes(60)])
def test_a_mark_does_not_go_back_and_is_not_written_for_a_small_step(mark: datetime) -> None:
    assert following(mark, NOW) is None
