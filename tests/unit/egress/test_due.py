"""When a part may be tried again, or at all."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from parley_common.domain.quiet_hours import parse_quiet_hours
from parley_common.events import DeliveryReport, FailureClass, OutboundMessage, Priority, Reply
from parley_egress.chain import End, fold
from parley_egress.due import is_quiet, wait_s
from parley_egress.parts import Origin, Part, first_part
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


def message(priority: Priority, not_before: datetime | None = None) -> Part:
    """The only part of a text without a turn."""
    event = OutboundMessage(
        id="o",
        at=NOON,
        channel="default",
        conversation="c",
        sender=NUMBER,
        contact=PERSON,
        expires_at=NOON,
        messages=(Reply(id="m", text="hi"),),
        not_before=not_before,
        priority=priority,
    )
    return first_part(Origin(subject="conv.c.out", seq=3, event=event, headers={}, stored_at=NOON), 0, ("hi",))


def test_a_message_with_a_time_waits_for_it() -> None:
    part = message(Priority.OPERATOR, NOON + timedelta(minutes=1))
    assert wait_s(part, EMPTY, None, LATER) == 40.0


NIGHT = parse_quiet_hours("21:00-08:00 UTC")
MIDNIGHT = NOON + timedelta(hours=12)
HOUR_S = 3_600.0


def test_a_notification_waits_for_the_end_of_quiet_hours() -> None:
    part = message(Priority.NOTIFICATION)
    assert wait_s(part, EMPTY, None, MIDNIGHT, NIGHT) == 8 * HOUR_S
    assert is_quiet(part, MIDNIGHT, NIGHT)


def test_by_day_and_without_quiet_hours_it_goes_at_once() -> None:
    part = message(Priority.NOTIFICATION)
    assert wait_s(part, EMPTY, None, NOON, NIGHT) == 0.0
    assert wait_s(part, EMPTY, None, MIDNIGHT) == 0.0
    assert not is_quiet(part, MIDNIGHT, None)


def test_neither_replies_nor_operators_wait_for_the_morning() -> None:
    for part in (PART, message(Priority.OPERATOR), message(Priority.REPLY)):
        assert wait_s(part, EMPTY, None, MIDNIGHT, NIGHT) == 0.0
        assert not is_quiet(part, MIDNIGHT, NIGHT)


@pytest.mark.parametrize(
    ("hours", "waits_h"),
    [
        pytest.param(1, 1, id="by day"),
        pytest.param(10, 20, id="in quiet hours: until the morning"),
        pytest.param(21, 21, id="after them"),
    ],
)
def test_a_time_within_quiet_hours_becomes_their_end(hours: int, waits_h: int) -> None:
    part = message(Priority.NOTIFICATION, NOON + timedelta(hours=hours))
    assert wait_s(part, EMPTY, None, NOON, NIGHT) == waits_h * HOUR_S


def test_a_hold_that_ends_in_quiet_hours_ends_in_the_morning() -> None:
    end = fold(CHAIN, failed(failure=FailureClass.FRAUD_BLOCK, final=False), 9, NOON + timedelta(hours=8.75))
    part = message(Priority.NOTIFICATION)
    assert wait_s(part, end, None, NOON + timedelta(hours=8.8), NIGHT) == pytest.approx(11.2 * HOUR_S)
