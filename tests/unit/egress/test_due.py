"""When a part may be tried again, or at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from parley_common.events import DeliveryReport, FailureClass, OutboundMessage, Reply
from parley_egress.chain import End, fold
from parley_egress.due import wait_s
from parley_egress.parts import Origin, first_part
from unit.egress.samples import NOON, NUMBER, PERSON, failed, sent, stored_turn

CHAIN = "conv.c.send"
PART = first_part(stored_turn(Reply(id="reply-1", text="hello")), 0, ("hello",))
EMPTY = End(chain=CHAIN)
LATER = NOON + timedelta(seconds=20)


def report(code: int | None) -> DeliveryReport:
    """What Twilio told at noon of the text before."""
    return DeliveryReport(
        id="r",
        at=NOON,
        channel="default",
        conversation="c",
        account_sid="AC",
        sid="SM",
        status="failed",
        error_code=code,
    )


def test_what_nothing_speaks_against_may_go_at_once() -> None:
    assert wait_s(PART, EMPTY, None, NOON) == 0.0
    assert wait_s(PART, fold(CHAIN, sent(), 9, NOON), report(None), LATER) == 0.0


@pytest.mark.parametrize(
    ("failure", "left_s"),
    [
        pytest.param(FailureClass.FRAUD_BLOCK, 1_780.0, id="a block is waited for"),
        pytest.param(FailureClass.LOOP_GUARD, 40.0, id="a loop is let die"),
        pytest.param(FailureClass.THROTTLED, 0.0, id="backoff is not a hold"),
    ],
)
def test_a_refusal_holds_the_part_for_its_time(failure: FailureClass, left_s: float) -> None:
    end = fold(CHAIN, failed(failure=failure, final=False), 9, NOON)
    assert wait_s(PART, end, None, LATER) == left_s


def test_a_message_that_is_over_holds_nobody() -> None:
    end = fold(CHAIN, failed(failure=FailureClass.FRAUD_BLOCK, final=True), 9, NOON)
    assert wait_s(PART, end, None, LATER) == 0.0


def test_a_delivery_that_failed_holds_the_next_part() -> None:
    assert wait_s(PART, fold(CHAIN, sent(), 9, NOON), report(14107), LATER) == 40.0


def test_a_message_with_a_time_waits_for_it() -> None:
    message = OutboundMessage(
        id="o",
        at=NOON,
        channel="default",
        conversation="c",
        sender=NUMBER,
        contact=PERSON,
        expires_at=NOON,
        messages=(Reply(id="m", text="hi"),),
        not_before=NOON + timedelta(minutes=1),
    )
    part = first_part(
        Origin(subject="conv.c.own.done", seq=3, event=message, headers={}, stored_at=NOON), 0, ("hi",)
    )
    assert wait_s(part, EMPTY, None, LATER) == 40.0
