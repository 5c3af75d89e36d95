"""The table of message statuses."""

from itertools import pairwise

import pytest

from parley_simulator.statuses import STEPS, Status, UnknownStepError, is_final, next_status


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param("queued sent delivered", id="from a number"),
        pytest.param("queued sending sent undelivered", id="with sending"),
        pytest.param("accepted queued sent delivered", id="from a service"),
        pytest.param("accepted failed", id="refused later"),
        pytest.param("scheduled queued sent delivered", id="scheduled"),
        pytest.param("scheduled canceled", id="canceled"),
    ],
)
def test_a_usual_walk_is_in_the_table(walk: str) -> None:
    statuses = [Status(name) for name in walk.split()]
    for current, wanted in pairwise(statuses):
        assert next_status(current, wanted) is wanted
    assert is_final(statuses[-1])


def test_a_step_that_is_not_in_the_table_is_refused_by_name() -> None:
    with pytest.raises(UnknownStepError, match="from delivered to sent"):
        next_status(Status.DELIVERED, Status.SENT)


def test_every_status_has_a_row_and_no_walk_comes_back() -> None:
    assert set(STEPS) == set(Status)

    def reachable(status: Status) -> set[Status]:
        return set(STEPS[status]).union(*(reachable(after) for after in STEPS[status]))

    assert all(status not in reachable(status) for status in Status)
