"""Who answers a conversation is the same whatever the order of what happened."""

from __future__ import annotations

from itertools import permutations

import pytest

from parley_common.events import Tally, TurnOutcome
from parley_status.takeovers import Handing, Takeover, fold_takeover, hands
from unit.status.samples import CONVERSATION, at, done, released, taken

HELD = taken().tally
BACK = done(1, 1, outcome=TurnOutcome.HANDED_BACK)
ASKED = done(1, 1, outcome=TurnOutcome.HANDED_OVER, tally=taken("").tally)


def row(by: str = "", until: float | None = None, sequence: int = 3) -> Takeover:
    return Takeover(
        conversation=CONVERSATION, sequence=sequence, taken_by=by, until=None if until is None else at(until)
    )


@pytest.mark.parametrize(
    ("events", "known"),
    [
        ([ASKED, taken(), taken("bob")], row("bob", 7200)),
        ([ASKED, taken(), released()], row()),
        ([taken(), released(), ASKED], row("", 7200)),
        ([ASKED, done(1, 1, outcome=TurnOutcome.TAKEN, tally=HELD), BACK], row()),
    ],
    ids=["the second takes it from the first", "handed back", "asked for again", "they want the brain back"],
)
def test_the_last_word_counts_in_any_order(events: list[Handing], known: Takeover) -> None:
    for order in permutations(enumerate(events, start=1)):
        found = None
        for sequence, event in (*order, *order):
            found = fold_takeover(found, sequence, event)
        assert found == known


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (taken(), True),
        (released(), True),
        (ASKED, True),
        (BACK, True),
        (done(1, 1), False),
        (done(1, 1, outcome=TurnOutcome.LATE, tally=Tally(answers=3)), False),
    ],
)
def test_most_turns_say_nothing_of_who_answers(event: Handing, *, says: bool) -> None:
    assert hands(event) is says
