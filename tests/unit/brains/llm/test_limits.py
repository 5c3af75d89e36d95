"""How long a turn's requests may take."""

from __future__ import annotations

import pytest

from parley_brains.llm.limits import LONGEST_WAIT_S, pause, time_limit


@pytest.mark.parametrize(("within_s", "limit_s"), [(45.0, 43.0), (10.0, 8.0), (5.0, 4.0), (1.0, 0.8)])
def test_a_turn_fails_before_it_is_given_up(within_s: float, limit_s: float) -> None:
    assert time_limit(within_s) == pytest.approx(limit_s)


def test_a_server_is_left_alone_for_a_moment_or_for_as_long_as_it_says() -> None:
    moment = pause(None)
    assert moment is not None
    assert 0.0 < moment < 1.0
    assert pause(0.0) == 0.0
    assert pause(LONGEST_WAIT_S) == LONGEST_WAIT_S


def test_a_long_wait_is_not_waited() -> None:
    assert pause(LONGEST_WAIT_S + 0.1) is None
