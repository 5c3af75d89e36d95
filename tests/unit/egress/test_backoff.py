"""The waits between attempts: longer each time, never at once, never the same for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_egress.backoff import delay_s

CHANCES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempt", "ceiling_s"),
    [
        pytest.param(1, 1.0, id="first"),
        pytest.param(2, 2.0, id="second"),
        pytest.param(5, 16.0, id="fifth"),
        pytest.param(6, 30.0, id="sixth: capped"),
        pytest.param(10_000, 30.0, id="after very many"),
    ],
)
def test_the_ceiling_doubles_up_to_half_a_minute(attempt: int, ceiling_s: float) -> None:
    assert delay_s(attempt, 0.0) == pytest.approx(ceiling_s / 10)
    assert delay_s(attempt, 0.999_999) == pytest.approx(ceiling_s, rel=1e-3)


@given(st.integers(0, 100_000), CHANCES)
def test_no_wait_is_zero_or_longer_than_the_most(attempt: int, chance: float) -> None:
    assert 0.05 <= delay_s(attempt, chance) <= 30.0


@given(st.integers(1, 1_000), CHANCES, CHANCES)
def test_more_chance_is_never_a_shorter_wait(attempt: int, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert delay_s(attempt, less) <= delay_s(attempt, more)
