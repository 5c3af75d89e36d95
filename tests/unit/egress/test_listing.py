"""Which messages of Twilio's log may be a part in doubt: like it in all that the log tells, and unlike nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from parley_egress.listing import CLOCKS_DIFFER, Logged, alike
from unit.egress.samples import NOON, NUMBER, attempted

SERVICE = "MG" + "b" * 32


def logged(**changes: Any) -> Logged:
    """The part as Twilio lists it."""
    fields: dict[str, Any] = {
        "sid": "SM1",
        "status": "sent",
        "direction": "outbound-api",
        "sender": NUMBER,
        "body": "hello there",
        "created_at": NOON,
    }
    return Logged(**(fields | changes))


def is_alike(message: Logged, *, sender: str = NUMBER, body: str = "hello there", at: datetime = NOON) -> bool:
    """Whether this message is one of those that may be the attempt."""
    return alike(attempted(sender=sender, body=body), at, [message]) == [message]


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(logged(), id="as it was sent"),
        pytest.param(logged(body=" hello\nthere "), id="with other white space"),
        pytest.param(logged(body="Sent from your Twilio trial account - hello there"), id="of a trial account"),
        pytest.param(logged(direction="outbound-reply"), id="as a reply"),
        pytest.param(logged(status="failed"), id="failed since"),
        pytest.param(logged(sender=None), id="with a sender not chosen yet"),
        pytest.param(logged(created_at=NOON - CLOCKS_DIFFER), id="by a clock that is behind"),
        pytest.param(logged(created_at=NOON + timedelta(hours=1)), id="later"),
    ],
)
def test_a_message_that_may_be_the_part_is_found(message: Logged) -> None:
    assert is_alike(message)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(logged(body="hello"), id="fewer words"),
        pytest.param(logged(body="hello there you"), id="more words"),
        pytest.param(logged(body="Hello there"), id="other letters"),
        pytest.param(logged(body=""), id="a body that was redacted"),
        pytest.param(logged(direction="inbound"), id="a text of the person"),
        pytest.param(logged(sender="+15550009999"), id="from another number"),
        pytest.param(logged(created_at=None), id="without a date"),
        pytest.param(logged(created_at=NOON - CLOCKS_DIFFER - timedelta(seconds=1)), id="before the attempt"),
    ],
)
def test_a_message_that_cannot_be_the_part_is_not(message: Logged) -> None:
    assert not is_alike(message)


def test_a_messaging_service_sends_from_any_of_its_numbers() -> None:
    assert is_alike(logged(sender="+15550009999"), sender=SERVICE)


@pytest.mark.parametrize("sender", ["whatsapp:+15550001111", "384387"])
def test_senders_of_other_kinds_are_compared_too(sender: str) -> None:
    assert is_alike(logged(sender=sender), sender=sender)
    assert not is_alike(logged(sender=NUMBER), sender=sender)


def test_all_that_may_be_the_part_are_found_in_their_order() -> None:
    newest, other, oldest = logged(sid="SM3"), logged(sid="SM2", body="else"), logged(sid="SM1")
    assert alike(attempted(body="hello there"), NOON, [newest, other, oldest]) == [newest, oldest]
