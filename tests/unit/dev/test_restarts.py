"""When a process that ended is started again."""

from __future__ import annotations

import pytest

from parley_dev.restarts import Exit, Restarts

CRASH = Exit(code=-9, up_s=3.0, was_ready=True)
REFUSAL = Exit(code=1, up_s=0.4, was_ready=False)
LATE_CRASH = Exit(code=-9, up_s=31.0, was_ready=True)


def after(*exits: Exit) -> Restarts:
    record = Restarts()
    for ended in exits:
        record = record.after(ended)
    return record


def test_delays_double_up_to_ten_seconds() -> None:
    delays_s = [after(*[CRASH] * count).delay_s for count in range(1, 8)]
    assert delays_s == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_process_that_ran_for_a_while_starts_again_soon() -> None:
    assert after(CRASH, CRASH, CRASH, LATE_CRASH).delay_s == 0.5


def test_crashes_are_never_hopeless() -> None:
    assert not after(*[CRASH] * 50).is_hopeless


def test_the_fifth_refusal_in_a_row_is_hopeless() -> None:
    assert not after(*[REFUSAL] * 4).is_hopeless
    assert after(*[REFUSAL] * 5).is_hopeless


def test_a_run_between_refusals_gives_hope() -> None:
    assert not after(*[REFUSAL] * 4, CRASH, *[REFUSAL] * 4).is_hopeless


@pytest.mark.parametrize(
    ("ended", "refused"),
    [
        pytest.param(Exit(code=1, up_s=0.5, was_ready=False), True, id="said no"),
        pytest.param(Exit(code=2, up_s=0.5, was_ready=False), True, id="said no as the simulator does"),
        pytest.param(Exit(code=1, up_s=0.5, was_ready=True), False, id="was ready, then failed"),
        pytest.param(Exit(code=1, up_s=60.0, was_ready=False), False, id="waited long before it failed"),
        pytest.param(Exit(code=-11, up_s=0.5, was_ready=False), False, id="crashed"),
        pytest.param(Exit(code=0, up_s=0.5, was_ready=False), False, id="ended well"),
    ],
)
def test_only_an_early_no_is_a_refusal(ended: Exit, refused: bool) -> None:
    assert ended.refused is refused
