"""Which sends are traces of their own because they were put off on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from parley_common.channels import Channel
from parley_common.domain.quiet_hours import parse_quiet_hours
from parley_common.events import OutboundMessage, Priority, Reply
from parley_egress.parts import Origin, Part, first_part
from parley_egress.spans import was_put_off
from unit.egress.samples import NOON, NUMBER, PERSON, stored_turn

CHANNEL = Channel(
    name="default",
    account_sid="AC1",
    auth_tokens=("t",),
    numbers=(NUMBER,),
    messaging_service_sid=None,
    allowed=frozenset(),
    allow_all=True,
)
SLEEPY = replace(CHANNEL, quiet_hours=parse_quiet_hours("11:00-13:00 UTC"))


def part(priority: Priority, not_before: datetime | None = None) -> Part:
    """The only part of a message that was stored at noon."""
    event = OutboundMessage(
        id="o",
        at=NOON,
        channel="default",
        conversation="c",
        sender=NUMBER,
        contact=PERSON,
        expires_at=NOON + timedelta(days=1),
        messages=(Reply(id="m", text="hi"),),
        not_before=not_before,
        priority=priority,
    )
    return first_part(Origin(subject="conv.c.notify", seq=3, event=event, headers={}, stored_at=NOON), 0, ("hi",))


@pytest.mark.parametrize(
    ("sent", "channel", "expected"),
    [
        pytest.param(part(Priority.NOTIFICATION), CHANNEL, False, id="a notification at once"),
        pytest.param(part(Priority.NOTIFICATION), SLEEPY, True, id="a notification written in quiet hours"),
        pytest.param(part(Priority.OPERATOR), SLEEPY, False, id="an operator's text then"),
        pytest.param(part(Priority.OPERATOR, NOON + timedelta(seconds=1)), CHANNEL, True, id="planned for later"),
        pytest.param(
            part(Priority.OPERATOR, NOON - timedelta(seconds=1)), CHANNEL, False, id="planned for before"
        ),
        pytest.param(
            first_part(stored_turn(Reply(id="reply-1", text="hello")), 0, ("hello",)), SLEEPY, False, id="a reply"
        ),
        pytest.param(part(Priority.NOTIFICATION), None, False, id="its channel is gone"),
    ],
)
def test_what_was_not_due_when_it_was_written_was_put_off(
    sent: Part, channel: Channel | None, expected: bool
) -> None:
    assert was_put_off(sent, channel) is expected
