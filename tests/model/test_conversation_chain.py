"""Whatever happens, and in whatever order: each text ends in one turn, and no bell is acked before."""

from __future__ import annotations

import pytest

from model.choices import Chance, Chooser, few_deviations
from model.conversation_world import ConversationWorld, Story
from model.virtual import VirtualLoop

_CRASHED = "work failed, it is tried again"


def explore(loop: VirtualLoop, errors: list[str], chooser: Chooser, story: Story) -> None:
    world = ConversationWorld(loop, chooser, story)
    world.run()
    unforeseen = [error for error in errors if error.startswith(_CRASHED)]
    assert not unforeseen, "\n".join([*unforeseen, *world.trace])


SMALL = {
    "a brain that acts": Story(texts=1),
    "a brain that does not": Story(texts=1, acts=False),
}
THREE = {
    "a brain that acts": Story(),
    "a brain that does not": Story(acts=False),
    "a burst": Story(gather_s=3.0),
    "a burst without stale reads": Story(gather_s=3.0, stale_reads=False),
    "a brain that fails": Story(fails=True, acts=False),
}


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
