"""When a burst of texts is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_agent.gathering import wait_s

seconds = st.floats(min_value=-1e6, max_value=1e6)
waited = st.floats(min_value=0.0, max_value=1e6)
windows = st.floats(min_value=0.0, max_value=60.0)


@pytest.mark.parametrize(
    ("age_s", "waited_s", "wait"),
    [
        pytest.param(0.0, 0.0, 1.5, id="a fresh text is given the whole window"),
        pytest.param(0.5, 0.0, 1.0, id="what has passed of it counts"),
        pytest.param(1.5, 0.0, 0.0, id="the window is over"),
        pytest.param(3600.0, 0.0, 0.0, id="an old text waits for nobody"),
        pytest.param(-600.0, 0.0, 1.5, id="the broker's clock is ahead: one window, not minutes"),
        pytest.param(-600.0, 5.9, 1.5, id="still within our patience"),
        pytest.param(-600.0, 6.0, 0.0, id="our patience is over"),
        pytest.param(0.0, 6.0, 0.0, id="a person who never stops is answered all the same"),
    ],
)
def test_a_burst_ends_one_window_after_its_last_text(age_s: float, waited_s: float, wait: float) -> None:
    assert wait_s(age_s=age_s, waited_s=waited_s, window_s=1.5) == pytest.approx(wait)


@given(seconds, waited, windows)
def test_a_wait_is_never_longer_than_the_window(age_s: float, waited_s: float, window_s: float) -> None:
    assert 0.0 <= wait_s(age_s=age_s, waited_s=waited_s, window_s=window_s) <= window_s


@given(seconds, waited)
def test_without_a_window_nothing_is_gathered(age_s: float, waited_s: float) -> None:
    assert wait_s(age_s=age_s, waited_s=waited_s, window_s=0.0) == 0.0
