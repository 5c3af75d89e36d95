"""Messages know their turn, and their state and failure come from their parts."""

from __future__ import annotations

import msgspec
import pytest

from parley_common.events import Priority, Reply, TurnOutcome
from parley_status.messages import (
    Direction,
    Message,
    handle,
    inbound_message,
    outbound_messages,
    settle_message,
    turn_of,
)
from parley_status.parts import Part, fold_part, report_of, settle_part
from parley_status.states import State
from unit.status.samples import done, failed, inbound, note, report, sent


def reply() -> Message:
    return outbound_messages(30, done(10, 11))[0]


def sent_part(part: int, *statuses: str) -> Part:
    return settle_part(fold_part(None, 41, sent(part)), [report_of(report(status, part)) for status in statuses])


def test_the_replies_of_a_turn_are_in_the_order_they_were_written() -> None:
    event = done(10, 11, messages=(Reply(id="a", text="one"), Reply(id="b", text="two")))
    rows = outbound_messages(30, event)
    assert [(row.id, row.sequence, row.position, row.turn) for row in rows] == [("a", 30, 0, 30), ("b", 30, 1, 30)]
    assert {row.state for row in rows} == {State.QUEUED}


@pytest.mark.parametrize("priority", list(Priority))
def test_what_is_texted_without_a_turn_has_none_and_tells_its_origin(priority: Priority) -> None:
    (row,) = outbound_messages(50, note(priority=priority))
    assert (row.id, row.direction, row.sequence, row.state) == ("note", Direction.OUTBOUND, 50, State.QUEUED)
    assert (row.turn, row.outcome, row.origin) == (None, None, priority)


def test_a_reply_is_of_that_origin_and_a_text_of_none() -> None:
    assert reply().origin is Priority.REPLY
    assert inbound_message(10, inbound()).origin is None


def test_a_text_that_came_too_late_is_unanswered() -> None:
    turn = turn_of(30, done(10, 10, outcome=TurnOutcome.LATE))
    after = handle(inbound_message(10, inbound()), [turn])
    assert (after.state, after.outcome) == (State.UNANSWERED, TurnOutcome.LATE)


@pytest.mark.parametrize(
    ("sequence", "conversation", "handled"),
    [
        (9, None, False),
        (10, None, True),
        (11, None, True),
        (12, None, False),
        (10, "d" * 32, False),
    ],
    ids=["before", "first", "last", "after", "another conversation"],
)
def test_a_turn_handles_the_texts_in_its_range(sequence: int, conversation: str | None, handled: bool) -> None:
    message = inbound_message(sequence, inbound())
    if conversation is not None:
        message = msgspec.structs.replace(message, conversation=conversation)
    after = handle(message, [turn_of(30, done(10, 11))])
    assert (after.state is State.HANDLED) is handled
    assert after.turn == (30 if handled else None)
    assert after.outcome == (TurnOutcome.ANSWERED if handled else None)


def test_a_text_is_inbound_and_received() -> None:
    message = inbound_message(10, inbound())
    assert (message.direction, message.state, message.turn) == (Direction.INBOUND, State.RECEIVED, None)


def test_a_message_without_parts_is_queued() -> None:
    assert settle_message(reply(), []).state is State.QUEUED


def test_a_message_counts_the_segments_of_its_parts() -> None:
    message = settle_message(reply(), [sent_part(0, "delivered"), sent_part(1, "delivered")])
    assert (message.state, message.segments, message.failure_reason) == (State.DELIVERED, 2, None)


def test_a_part_that_is_not_begun_holds_the_message_back() -> None:
    assert settle_message(reply(), [sent_part(0, "delivered")]).state is State.SENDING


def test_a_refused_part_gives_the_message_its_failure() -> None:
    refused = settle_part(fold_part(None, 41, failed(1)), [])
    message = settle_message(reply(), [refused, sent_part(0, "delivered")])
    assert (message.state, message.failure, message.failure_code) == (State.FAILED, "recipient", 21614)
    assert message.failure_reason == "The number is not a mobile number."


def test_of_a_message_that_was_sent_again_the_later_parts_count() -> None:
    expired = settle_part(fold_part(None, 41, failed(0)), [])
    again = msgspec.structs.replace(sent_part(0, "delivered"), part_id="again", turn=90)
    for parts in ([expired, again], [again, expired]):
        message = settle_message(reply(), [msgspec.structs.replace(part, of=1) for part in parts])
        assert (message.state, message.segments, message.failure) == (State.DELIVERED, 1, None)
