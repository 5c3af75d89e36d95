"""A letter's row keeps what is needed to try again, and whether that was done, whatever came first."""

from __future__ import annotations

import itertools
from functools import reduce

import msgspec
import pytest

from parley_common.events import DeadLetter, LetterReplayed
from parley_status.letters import Letter, fold_letter, letter_id
from unit.status.samples import at, letter, replayed


def folded(*events: DeadLetter | LetterReplayed) -> Letter:
    row = reduce(fold_letter, events, None)
    assert row is not None
    return row


def test_the_row_keeps_what_is_needed_to_try_again() -> None:
    row = folded(letter(7))
    assert (row.service, row.stream, row.sequence) == ("agent", "CONVERSATIONS", 7)
    assert row.replayed_at is None


def test_a_replay_names_the_letter_that_it_is_about() -> None:
    assert letter_id(replayed(7)) == letter_id(letter(7)) != letter_id(letter(8))


def test_a_replayed_letter_tells_when() -> None:
    row = folded(letter(), replayed(second=40))
    assert row.replayed_at == at(40)
    assert row.reason == letter().reason


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_same_events_give_the_same_letter_in_any_order(order: tuple[int, ...]) -> None:
    again = msgspec.structs.replace(letter(), at=at(60), reason="the brain raised KeyError")
    events = (letter(), replayed(second=40), again, replayed(second=20))
    row = folded(*(events[place] for place in order))
    assert row == folded(*events)
    assert (row.at, row.reason, row.replayed_at) == (at(60), "the brain raised KeyError", at(40))


def test_a_replay_whose_letter_is_not_known_is_kept_alike_in_any_order() -> None:
    assert folded(replayed(second=20), replayed(second=40)) == folded(replayed(second=40), replayed(second=20))
