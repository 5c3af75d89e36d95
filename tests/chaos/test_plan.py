"""The plan of a run comes from its seed alone."""

from __future__ import annotations

from itertools import pairwise

from chaos.plan import BROKERS, SERVICES, Size, make_plan

SIZE = Size.of(120.0)


def test_the_same_seed_gives_the_same_plan() -> None:
    assert make_plan(3, "cluster", SIZE) == make_plan(3, "cluster", SIZE)


def test_another_seed_gives_another_plan_in_every_part() -> None:
    one, other = make_plan(1, "single", SIZE), make_plan(2, "single", SIZE)
    assert one.hurts != other.hurts
    assert one.troubles != other.troubles
    assert one.texts != other.texts


def test_every_text_has_a_mark_of_its_own() -> None:
    marks = [text.mark for text in make_plan(1, "single", SIZE).texts]
    assert len(set(marks)) == len(marks) == SIZE.people * SIZE.texts_each


def test_a_persons_marks_grow_with_time() -> None:
    last: dict[int, int] = {}
    for text in make_plan(1, "single", SIZE).texts:
        assert text.mark > last.get(text.person, -1)
        last[text.person] = text.mark


def test_nobody_is_hurt_who_is_hurt_already_and_all_is_over_at_the_end() -> None:
    for seed in range(30):
        plan = make_plan(seed, "cluster", SIZE)
        for who in (*SERVICES, *BROKERS["cluster"]):
            mine = [hurt for hurt in plan.hurts if hurt.who == who]
            assert all(one.at_s + one.for_s < other.at_s for one, other in pairwise(mine))
        assert all(hurt.at_s + hurt.for_s <= SIZE.seconds + 0.02 for hurt in plan.hurts)


def test_two_of_three_brokers_are_never_hurt_at_once() -> None:
    for seed in range(30):
        hurts = [hurt for hurt in make_plan(seed, "cluster", SIZE).hurts if hurt.who in BROKERS["cluster"]]
        assert all(one.at_s + one.for_s < other.at_s for one, other in pairwise(hurts))


def test_every_sort_of_process_is_hurt_in_both_ways_by_some_seed() -> None:
    hurts = [hurt for seed in range(1, 6) for hurt in make_plan(seed, "single", SIZE).hurts]
    assert {(hurt.who.split("-")[0], hurt.way) for hurt in hurts} == {
        (who, way) for who in ("ingress", "agent", "egress", "status", "nats") for way in ("kill", "stop")
    }
