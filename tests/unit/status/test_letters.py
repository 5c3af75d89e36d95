"""The dead letter for a message says where it stands and why, and nothing of what it holds."""

from __future__ import annotations

import pytest

from parley_status.letters import dead_letter, letter_of
from unit.status.samples import at, letter


@pytest.mark.parametrize(
    ("subject", "conversation"),
    [("conv.abc.in", "abc"), ("report.part", ""), ("consent.key", ""), ("dead.agent", "")],
)
def test_the_conversation_is_told_where_the_subject_has_one(subject: str, conversation: str) -> None:
    event = dead_letter(service="status", stream="S", sequence=4, subject=subject, reason="no", at=at(0))
    assert event.conversation == conversation


def test_a_message_has_one_dead_letter_however_often_it_is_met() -> None:
    letters = [
        dead_letter(service="status", stream="S", sequence=4, subject="dead.x", reason="no", at=at(second))
        for second in (0, 9)
    ]
    assert len({event.id for event in letters}) == 1


def test_the_row_keeps_what_is_needed_to_try_again() -> None:
    row = letter_of(letter(7))
    assert (row.service, row.stream, row.sequence) == ("agent", "CONVERSATIONS", 7)
