"""Whatever happens, and in whatever order: each text ends in one turn, and no bell is acked before."""

from __future__ import annotations

import pytest

from model.choices import Chance, Chooser, few_deviations
from model.conversation_world import ConversationWorld, Story
from model.virtual import VirtualLoop

_CRASHED = "work failed, it is tried again"


def explore(loop: VirtualLoop, errors: list[str], chooser: Chooser, story: Story) -> ConversationWorld:
    world = ConversationWorld(loop, chooser, story)
    world.run()
    unforeseen = [error for error in errors if error.startswith(_CRASHED)]
    assert not unforeseen, "\n".join([*unforeseen, *world.trace])
    return world


SMALL = {
    "a brain that acts": Story(texts=1),
    "a brain that does not": Story(texts=1, acts=False),
}
TAKEN = {
    "a brain that acts": Story(texts=1, takeovers=1, thinks_s=1.0),
    "a brain that does not": Story(texts=1, takeovers=1, thinks_s=1.0, acts=False),
}
ANEW = {
    "a brain that acts": Story(restarts=True, thinks_s=7.0),
    "a brain that does not": Story(restarts=True, thinks_s=7.0, acts=False),
    "and somebody takes it": Story(restarts=True, thinks_s=7.0, takeovers=2),
}
THREE = {
    "a brain that acts": Story(),
    "a brain that does not": Story(acts=False),
    "a burst": Story(gather_s=3.0),
    "a burst without stale reads": Story(gather_s=3.0, stale_reads=False),
    "a brain that fails": Story(fails=True, acts=False),
}


@pytest.mark.long
@pytest.mark.parametrize("story", SMALL.values(), ids=SMALL.keys())
def test_one_text_is_answered_once_whatever_two_things_go_wrong(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    runs = few_deviations(2, lambda path: explore(loop, errors, path, story))
    assert runs > 500


@pytest.mark.parametrize("story", THREE.values(), ids=THREE.keys())
def test_three_texts_are_answered_once_whatever_goes_wrong(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    runs = few_deviations(1, lambda path: explore(loop, errors, path, story))
    assert runs > 100


@pytest.mark.parametrize("story", THREE.values(), ids=THREE.keys())
def test_three_texts_are_answered_once_however_much_goes_wrong(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    for seed in range(120):
        explore(loop, errors, Chance(seed), story)


def test_a_failed_turn_leaves_its_letter_whatever_goes_wrong(loop: VirtualLoop, errors: list[str]) -> None:
    story = Story(texts=2, fails=True, acts=False)
    assert few_deviations(1, lambda path: explore(loop, errors, path, story)) > 50


def test_each_failed_turn_leaves_its_letter(loop: VirtualLoop, errors: list[str]) -> None:
    for seed in range(100):
        explore(loop, errors, Chance(seed), Story(fails=True, acts=False))


@pytest.mark.long
@pytest.mark.parametrize("story", TAKEN.values(), ids=TAKEN.keys())
def test_of_a_person_and_a_brain_only_one_answers_whatever_two_things_happen(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    runs = few_deviations(2, lambda path: explore(loop, errors, path, story))
    assert runs > 500


@pytest.mark.parametrize("story", [Story(takeovers=3), Story(takeovers=3, acts=False, gather_s=3.0, thinks_s=2.0)])
def test_of_a_person_and_a_brain_only_one_answers_however_often_it_changes_hands(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    for seed in range(150):
        explore(loop, errors, Chance(seed), story)


@pytest.mark.parametrize("story", ANEW.values(), ids=ANEW.keys())
def test_turns_that_begin_anew_end_once_whatever_goes_wrong(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    runs = few_deviations(1, lambda path: explore(loop, errors, path, story))
    assert runs > 100


@pytest.mark.parametrize("story", ANEW.values(), ids=ANEW.keys())
def test_turns_that_begin_anew_end_once_however_much_goes_wrong(
    loop: VirtualLoop, errors: list[str], story: Story
) -> None:
    begun_anew = sum(explore(loop, errors, Chance(seed), story).restarted for seed in range(120))
    assert begun_anew > 50 or not story.acts
