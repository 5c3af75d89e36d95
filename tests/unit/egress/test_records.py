"""The events of a part's chain say what was tried and what came of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from parley_common.events import Evidence, FailureClass, Reply, Slot, decode, encode
from parley_egress import records
from parley_egress.outcome import Created, NotSent
from parley_egress.parts import first_part, same_part
from unit.egress.samples import NOON, NUMBER, PERSON, PICTURE, attempted, stored_turn

STAMP = records.Stamp(id="write-9", at=NOON + timedelta(seconds=3), worker="worker-1")
TURN = stored_turn(Reply(id="reply-1", text="long", media=(PICTURE,)))


def test_an_attempt_holds_all_that_is_needed_to_send_it_again() -> None:
    attempt = records.attempted(first_part(TURN, 0, ("a", "b", "c")), STAMP, in_doubt=False)
    assert (attempt.id, attempt.at, attempt.worker) == ("write-9", STAMP.at, "worker-1")
    assert (attempt.sender, attempt.contact) == (NUMBER, PERSON)
    assert (attempt.body, attempt.rest, attempt.of, attempt.media) == ("a", ("b", "c"), 3, (PICTURE,))
    assert (attempt.slot, attempt.attempt) == (Slot(turn=7, message=0, part=0), 1)


def test_attempts_are_counted() -> None:
    part = same_part(TURN, attempted(attempt=4))
    assert records.attempted(part, STAMP, in_doubt=False).attempt == 5


def test_attempts_of_which_nobody_knows_what_became_are_counted() -> None:
    first = records.attempted(first_part(TURN, 0, ("a",)), STAMP, in_doubt=False)
    second = records.attempted(same_part(TURN, first), STAMP, in_doubt=True)
    third = records.attempted(same_part(TURN, second), STAMP, in_doubt=False)
    assert [attempt.doubts for attempt in (first, second, third)] == [0, 1, 1]


@pytest.mark.parametrize("evidence", list(Evidence))
def test_a_success_names_its_attempt_and_its_evidence(evidence: Evidence) -> None:
    created = Created(sid="SM" + "1" * 32, status="queued")
    event = records.sent(same_part(TURN, attempted(body="a" * 161)), 12, created, evidence, STAMP)
    assert (event.attempted, event.sid, event.twilio_status) == (12, created.sid, "queued")
    assert (event.segments, event.evidence) == (2, evidence)


def test_a_failure_keeps_the_code_and_whether_it_is_final() -> None:
    outcome = NotSent(failure=FailureClass.THROTTLED, final=False, reason="too much", code=20429)
    event = records.failed(first_part(TURN, 0, ("a",)), 12, outcome, STAMP)
    assert (event.attempted, event.failure, event.final) == (12, FailureClass.THROTTLED, False)
    assert (event.reason, event.code) == ("too much", 20429)


def test_the_events_of_one_part_share_its_names() -> None:
    part = first_part(TURN, 0, ("a",))
    attempt = records.attempted(part, STAMP, in_doubt=False)
    created = Created(sid="SM" + "1" * 32, status="queued")
    failure = NotSent(failure=FailureClass.EXPIRED, final=True, reason="late")
    events = [
        attempt,
        records.sent(part, 12, created, Evidence.RESPONSE, STAMP),
        records.failed(part, 0, failure, STAMP),
    ]
    names = {(e.channel, e.conversation, e.part_id, e.message_id, e.slot, e.of) for e in events}
    assert names == {("default", "c" * 32, part.part_id, "reply-1", part.slot, 1)}
    assert [decode(encode(event)) for event in events] == events
