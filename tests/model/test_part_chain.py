"""Whatever happens, and in whatever order: no part is sent twice, none overtakes another, each comes to an end."""

from __future__ import annotations

import pytest

from model.choices import Chance, Chooser, few_deviations
from model.part_world import SETTLE_S, PartWorld, Plan
from model.virtual import VirtualLoop

_CRASHED = "work failed, it is tried again"
ONE = Plan(turns=(("hello",),))
PLANS = {
    "a log": Plan(),
    "no log": Plan(log=False),
    "a short life": Plan(expiry_s=20.0),
}


def explore(loop: VirtualLoop, errors: list[str], chooser: Chooser, plan: Plan) -> PartWorld:
    world = PartWorld(loop, chooser, plan)
    world.run()
    unforeseen = [error for error in errors if error.startswith(_CRASHED)]
    assert not unforeseen, "\n".join([*unforeseen, *world.trace])
    return world


@pytest.mark.long
def test_one_part_is_sent_once_whatever_two_things_go_wrong(loop: VirtualLoop, errors: list[str]) -> None:
    runs = few_deviations(2, lambda path: explore(loop, errors, path, ONE))
    assert runs > 500


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_four_parts_are_sent_once_and_in_order_whatever_goes_wrong(
    loop: VirtualLoop, errors: list[str], plan: Plan
) -> None:
    runs = few_deviations(1, lambda path: explore(loop, errors, path, plan))
    assert runs > 100


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
def test_four_parts_are_sent_once_and_in_order_however_much_goes_wrong(
    loop: VirtualLoop, errors: list[str], plan: Plan
) -> None:
    for seed in range(25):
        explore(loop, errors, Chance(seed), plan)


def test_only_a_post_that_leaves_after_the_settle_time_is_a_second_text(
    loop: VirtualLoop, errors: list[str]
) -> None:
    doubled: list[PartWorld] = []

    def run(chooser: Chooser) -> None:
        world = explore(loop, errors, chooser, ONE)
        if world.rules.doubles:
            doubled.append(world)

    few_deviations(1, run)
    assert doubled, "the frozen sender of the decision record is not among the runs"
    assert all(any(c.after_s > SETTLE_S for c in world.twilio.created) for world in doubled)
