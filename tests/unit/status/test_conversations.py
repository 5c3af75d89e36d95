"""Conversations and consent are the same whatever the order of what happened."""

from __future__ import annotations

from itertools import permutations

import pytest

from parley_common.events import ConsentChanged, InboundMessage, TurnDone
from parley_status.conversations import Conversation, fold_consent, fold_conversation
from unit.status.samples import at, consent, done, inbound


def opted_out(*events: ConsentChanged) -> bool:
    conversation: Conversation | None = None
    for event in events:
        conversation = fold_conversation(conversation, event)
    assert conversation is not None
    return conversation.opted_out


STOP = consent(granted=False, second=10)
START = consent(granted=True, second=12)
LATER_STOP = consent(granted=False, second=14)


@pytest.mark.parametrize(
    ("events", "out"),
    [
        ([STOP], True),
        ([START], False),
        ([STOP, START], False),
        ([STOP, START, LATER_STOP], True),
        ([consent(granted=True, second=10), STOP], True),
    ],
    ids=["stop", "start", "stop start", "stop start stop", "both at one instant"],
)
def test_the_latest_cause_wins_in_any_order(events: list[ConsentChanged], out: bool) -> None:
    for order in permutations(events):
        assert opted_out(*order, *order) is out
        row = None
        for event in order:
            row = fold_consent(row, event)
        assert row is not None
        assert row.granted is not out


def test_the_last_activity_is_the_latest_of_all_events() -> None:
    events: list[InboundMessage | TurnDone] = [
        inbound(second=3),
        done(10, 11, second=9),
        inbound("SMin2", second=5),
    ]
    for order in permutations(events):
        conversation = None
        for event in order:
            conversation = fold_conversation(conversation, event)
        assert conversation is not None
        assert conversation.last_activity == at(9)
        assert not conversation.opted_out


def test_a_text_after_stop_does_not_take_the_stop_back() -> None:
    conversation = fold_conversation(fold_conversation(None, STOP), inbound(second=20))
    assert conversation.opted_out
