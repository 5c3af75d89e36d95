"""Quiet hours: notifications wait, replies and operators do not, and nobody waits behind those who wait."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.twilio_stub import TwilioStub, after, create
from integration.egress.workbench import (
    NUMBER,
    THE_CLIENTS_WARNINGS,
    Conversation,
    crowd,
    working,
)
from parley_common import topology
from parley_common.domain.quiet_hours import QuietHours, parse_quiet_hours
from parley_common.doorbells import Later
from parley_common.events import FailureClass, PartAttempted, PartFailed, PartSent, Priority
from parley_common.lanes import NOTIFICATIONS, OPERATORS
from parley_egress.rate import Bucket

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]


def hours(begin_in: timedelta, length: timedelta = timedelta(hours=3)) -> QuietHours:
    """Quiet hours that begin so long from now."""
    start = datetime.now(UTC) + begin_in
    return parse_quiet_hours(f"{start:%H:%M}-{start + length:%H:%M} UTC")


NOW = timedelta(hours=-1)
LATER_ON = timedelta(hours=4)


async def test_a_notification_waits_and_what_was_asked_for_does_not(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as worker:
        notified, answered, helped = crowd(worker.bus, 3)
        await notified.notify("news", expires_in_s=86_400.0)
        with pytest.raises(Later) as later:
            await worker.drain_notifications(notified)
        await answered.reply("the answer")
        await worker.drain(answered)
        await helped.notify("from a person", priority=Priority.OPERATOR)
        await worker.drain_lane(helped, OPERATORS)
        await notified.reply("the answer to the one who waits")
        await worker.drain(notified)
        assert await notified.chain(NOTIFICATIONS) == []
    assert later.value.delay_s == 300.0, "it is looked at again now and then, not all the time"
    assert [post.body for post in twilio.posts] == [
        "the answer",
        "from a person",
        "the answer to the one who waits",
    ]


async def test_an_operator_does_not_wait_behind_a_notification_to_the_same_person(
    broker: Stack, twilio: TwilioStub
) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as worker:
        conversation = Conversation(worker.bus)
        await conversation.notify("news", expires_in_s=86_400.0)
        with pytest.raises(Later):
            await worker.drain_notifications(conversation)
        text = await conversation.notify("from a person", priority=Priority.OPERATOR)
        assert await worker.drain_lane(conversation, OPERATORS) == text
        assert await conversation.chain(NOTIFICATIONS) == []
        assert [type(event) for event in await conversation.chain(OPERATORS)] == [PartAttempted, PartSent]
    assert [post.body for post in twilio.posts] == ["from a person"]


async def test_a_text_on_the_other_lane_goes_all_the_same_by_its_priority(
    broker: Stack, twilio: TwilioStub
) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as worker:
        helped, notified = crowd(worker.bus, 2)
        await helped.notify("from a person", priority=Priority.OPERATOR, subject=topology.notifications(helped.id))
        await worker.drain_notifications(helped)
        await notified.notify("news", expires_in_s=86_400.0, subject=topology.operators_texts(notified.id))
        with pytest.raises(Later):
            await worker.drain_lane(notified, OPERATORS)
    assert [post.body for post in twilio.posts] == ["from a person"]


async def test_what_waits_for_its_time_is_not_found_open_by_the_sweep(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as worker:
        conversation, late = crowd(worker.bus, 2)
        note = await conversation.notify("news", expires_in_s=86_400.0)
        text = await conversation.notify("from a person", priority=Priority.OPERATOR)
        old = await late.notify("old news", expires_in_s=-1.0)
        with pytest.raises(Later) as later:
            await worker.lanes[NOTIFICATIONS].is_done(conversation.id, note)
        assert later.value.delay_s == 300.0
        assert not await worker.lanes[OPERATORS].is_done(conversation.id, text), "it could go: its bell was lost"
        assert not await worker.lanes[NOTIFICATIONS].is_done(late.id, old), "it has expired and is to be ended"
        assert await worker.lanes[NOTIFICATIONS].is_done(conversation.id, note - 1)
    assert twilio.posts == []


async def test_outside_of_quiet_hours_a_notification_goes_at_once(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(LATER_ON)) as worker:
        conversation = Conversation(worker.bus)
        await conversation.notify("news")
        await worker.drain_notifications(conversation)
    assert [post.body for post in twilio.posts] == ["news"]


async def test_a_time_within_quiet_hours_does_not_let_it_out(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as worker:
        conversation = Conversation(worker.bus)
        at = datetime.now(UTC) + timedelta(seconds=0.2)
        await conversation.notify("news", not_before=at, expires_in_s=86_400.0)
        await wait_until(lambda: datetime.now(UTC) > at)
        with pytest.raises(Later):
            await worker.drain_notifications(conversation)
    assert twilio.posts == []


async def test_what_expires_within_them_is_over_and_never_goes_out(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as worker:
        conversation = Conversation(worker.bus)
        note = await conversation.notify("news", expires_in_s=0.5)
        with pytest.raises(Later) as later:
            await worker.drain_notifications(conversation)
        assert later.value.delay_s <= 0.5, "it ends when it expires, not in the morning"
        await asyncio.sleep(later.value.delay_s + 0.1)
        assert await worker.drain_notifications(conversation) == note
        (failed,) = await conversation.chain(NOTIFICATIONS)
    assert isinstance(failed, PartFailed)
    assert (failed.failure, failed.final, failed.attempted) == (FailureClass.EXPIRED, True, 0)
    assert twilio.posts == []


async def test_after_the_hours_it_goes(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, quiet_hours=hours(NOW)) as night:
        conversation = Conversation(night.bus)
        await conversation.notify("news", expires_in_s=86_400.0)
        with pytest.raises(Later):
            await night.drain_notifications(conversation)
    async with working(broker.nats_url, twilio, quiet_hours=hours(timedelta(hours=-4))) as morning:
        await morning.drain_notifications(conversation)
    assert [post.body for post in twilio.posts] == ["news"]


async def test_hours_that_begin_while_it_waits_for_a_slot_hold_it(
    broker: Stack, twilio: TwilioStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd of notifications at a slow sender reaches into the night."""
    async with working(broker.nats_url, twilio, rate_mps=1.0, quiet_hours=hours(LATER_ON)) as worker:
        conversation = Conversation(worker.bus)
        await conversation.notify("news", expires_in_s=86_400.0)
        desk = worker.ownership.desk(worker.channel, NUMBER)
        assert desk is not None
        desk.bucket = Bucket(segments_per_s=1.0, free_at_s=time.monotonic() + 2.0)
        draining = asyncio.create_task(worker.drain_notifications(conversation))
        await asyncio.sleep(0.5)
        assert not draining.done()
        monkeypatch.setattr(QuietHours, "hold", lambda _self, _moment: True)
        with pytest.raises(Later):
            await draining
    assert twilio.posts == []


async def test_the_rest_of_a_message_waits_too(
    broker: Stack, twilio: TwilioStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def night_falls(_post: object) -> None:
        monkeypatch.setattr(QuietHours, "hold", lambda _self, _moment: True)

    twilio.script.append(after(night_falls, create))
    async with working(broker.nats_url, twilio, quiet_hours=hours(LATER_ON)) as worker:
        conversation = Conversation(worker.bus)
        await conversation.notify("word " * 800, expires_in_s=86_400.0)
        with pytest.raises(Later):
            await worker.drain_notifications(conversation)
    assert [post.body[:6] for post in twilio.posts] == ["(1/3) "]
