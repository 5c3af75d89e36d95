"""The judge sees every broken promise, and none where all was kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chaos.copies import is_residue
from chaos.judge import Sent, Written, explained, judge
from chaos.stories import Story
from parley_common.events import (
    AnyEvent,
    FailureClass,
    InboundMessage,
    PartAttempted,
    PartFailed,
    Slot,
    TurnDone,
    TurnOutcome,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
CONTACT = "+15557770001"
SETTLE_S = 10.0


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _text(mark: int) -> InboundMessage:
    return InboundMessage(
        id=f"SM{mark}",
        at=START,
        channel="default",
        conversation="c",
        account_sid="AC",
        contact=CONTACT,
        recipient="+15550100001",
        body=f"ECHO t{mark}",
    )


def _turn(first: int, upto: int, outcome: TurnOutcome = TurnOutcome.ANSWERED) -> TurnDone:
    return TurnDone(
        id=f"turn {first}",
        at=START,
        channel="default",
        conversation="c",
        upto=upto,
        first=first,
        outcome=outcome,
        sender="+15550100001",
        contact=CONTACT,
        expires_at=_at(3_600),
    )


def _attempt(mark: int, turn: int) -> PartAttempted:
    return PartAttempted(
        id=f"attempt {mark}",
        at=START,
        channel="default",
        conversation="c",
        part_id=f"part {turn}",
        message_id=f"message {turn}",
        slot=Slot(turn=turn, message=0, part=0),
        of=1,
        sender="+15550100001",
        contact=CONTACT,
        body=f"t{mark}",
        attempt=1,
        worker="w",
    )


def _failed(turn: int, failure: FailureClass) -> PartFailed:
    return PartFailed(
        id=f"failed {turn}",
        at=START,
        channel="default",
        conversation="c",
        part_id=f"part {turn}",
        message_id=f"message {turn}",
        slot=Slot(turn=turn, message=0, part=0),
        of=1,
        attempted=0,
        failure=failure,
        final=True,
        reason="for a test",
    )


def _story() -> Story:
    """Texts 1 and 2 at the sequences 1 and 2, a turn for each, an attempt for each."""
    story = Story()
    all_of_it: list[AnyEvent] = [_text(1), _text(2), _turn(1, 1), _turn(2, 2), _attempt(1, 3), _attempt(2, 4)]
    for seq, event in enumerate(all_of_it, 1):
        story.take(event, seq, _at(float(seq)))
    return story


def _written(*marks: int, accepted: bool = True) -> list[Written]:
    at = START.timestamp() if accepted else None
    return [
        Written(sid=f"SM{mark}", contact=CONTACT, mark=mark, accepted_at=at, why_not="" if accepted else "502")
        for mark in marks
    ]


def _sent(*marks: int) -> list[Sent]:
    """One message each, a second after another from the attempts on."""
    return [Sent(contact=CONTACT, body=f"t{mark}", at=_at(5.5 + n).timestamp()) for n, mark in enumerate(marks)]


def test_a_run_in_which_all_was_kept_is_clean() -> None:
    verdict = judge(_written(1, 2), [_story()], _sent(1, 2), SETTLE_S)
    assert verdict.is_clean
    assert (verdict.accepted, verdict.answered, verdict.worst_delay_s, verdict.complaints) == (2, 2, 6.5, [])


def test_a_text_that_was_answered_200_and_is_not_stored_is_lost() -> None:
    verdict = judge(_written(1, 2, 3), [_story()], _sent(1, 2), SETTLE_S)
    assert (verdict.lost, verdict.is_clean) == (1, False)


def test_a_text_that_was_never_answered_200_is_not_lost() -> None:
    written = [*_written(1, 2), *_written(3, accepted=False)]
    verdict = judge(written, [_story()], _sent(1, 2), SETTLE_S)
    assert verdict.is_clean
    assert dict(verdict.not_accepted) == {"502": 1}


def test_a_stored_text_without_an_answer_is_unanswered_whatever_its_webhook_was_told() -> None:
    verdict = judge(_written(1, 2, accepted=False), [_story()], _sent(1), SETTLE_S)
    assert (verdict.answered, verdict.unanswered, verdict.is_clean) == (1, 1, False)


def test_a_text_that_was_given_up_is_counted_by_the_reason() -> None:
    story = _story()
    story.take(_failed(4, FailureClass.UNDECIDED), 7, _at(7.0))
    verdict = judge(_written(1, 2), [story], _sent(1), SETTLE_S)
    assert dict(verdict.given_up) == {"undecided": 1}
    assert verdict.is_clean


def test_an_answer_that_comes_before_that_of_an_earlier_text_is_out_of_order() -> None:
    assert judge(_written(1, 2), [_story()], _sent(2, 1), SETTLE_S).out_of_order == 1


def test_an_answer_to_somebody_of_whom_nothing_is_stored_is_not_overlooked() -> None:
    assert not judge([], [], _sent(1), SETTLE_S).is_clean


def test_a_text_in_two_turns_is_an_overlap() -> None:
    story = _story()
    story.take(_turn(2, 2), 7, _at(7.0))
    assert not judge(_written(1, 2), [story], _sent(1, 2), SETTLE_S).is_clean


def test_a_second_copy_within_the_settle_time_of_the_only_attempt_is_sent_twice() -> None:
    verdict = judge(_written(1, 2), [_story()], _sent(1, 2, 2), SETTLE_S)
    assert (verdict.twice, verdict.residue, verdict.is_clean) == (1, 0, False)


def test_copies_that_each_follow_an_attempt_of_their_own_at_once_are_no_residue() -> None:
    assert not is_residue([1.0, 13.0], [0.5, 12.0], SETTLE_S)


def test_copies_of_which_one_left_long_after_its_attempt_are_the_residue() -> None:
    assert is_residue([11.0, 14.0], [0.5, 10.9], SETTLE_S)
    assert is_residue([0.6, 30.0], [0.5, 12.0], SETTLE_S)


def test_more_copies_than_attempts_are_never_the_residue() -> None:
    assert not is_residue([1.0, 30.0], [0.5], SETTLE_S)


def test_nothing_more_is_to_come_once_each_text_is_answered_or_given_up() -> None:
    story = _story()
    assert not explained(_written(1, 2), [story], _sent(1))
    assert not explained(_written(1, 2, 3), [story], _sent(1, 2))
    story.take(_failed(4, FailureClass.EXPIRED), 7, _at(7.0))
    assert explained(_written(1, 2), [story], _sent(1))
