"""The breaker: opens after failures in a row, lets a probe through now and then, closes after a success."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_egress.breaker import CLOSED, MOST_S, OPENS_AFTER, Breaker


def after(failures: int, breaker: Breaker = CLOSED, *, now_s: float = 0.0) -> Breaker:
    """The breaker after so many failures of texts that were no probes."""
    for _ in range(failures):
        breaker = breaker.failed(now_s, is_probe=False)
    return breaker


def test_a_few_failures_stop_nothing() -> None:
    assert not after(OPENS_AFTER - 1).is_open
    assert after(OPENS_AFTER - 1).wait_s(0.0) == 0.0


def test_failures_in_a_row_open_it() -> None:
    breaker = after(OPENS_AFTER)
    assert breaker.is_open
    assert breaker.wait_s(0.0) == 1.0
    assert breaker.wait_s(1.0) == 0.0


def test_one_failure_that_all_would_meet_opens_it() -> None:
    assert CLOSED.failed(0.0, is_probe=False, at_once=True).is_open


@given(st.integers(0, 200))
def test_what_was_under_way_when_it_opened_does_not_make_the_wait_longer(late: int) -> None:
    assert after(late, after(OPENS_AFTER), now_s=0.3).wait_s(0.3) == pytest.approx(0.7)


def test_each_failed_probe_doubles_the_wait_up_to_a_minute() -> None:
    breaker, now_s, waits = after(OPENS_AFTER), 0.0, []
    for _ in range(10):
        waits.append(breaker.wait_s(now_s))
        now_s += waits[-1]
        breaker = breaker.probed(now_s).failed(now_s, is_probe=True)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, *[MOST_S] * 4]


def test_one_probe_goes_in_an_interval() -> None:
    breaker = after(OPENS_AFTER).probed(1.0)
    assert breaker.is_open
    assert breaker.wait_s(1.0) == 1.0
