"""The promises that egress keeps, each by its name; each of these tests fails where its guard is taken out.

P4 (once) has ``test_doubt``, P6 (rate) ``test_ownership``, P8 (STOP) ``test_sending``; here is the rest.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from aiohttp import web

from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.processes import egress
from integration.egress.twilio_stub import Answer, Post, TwilioStub, create, cut_off, refuse, say
from integration.egress.workbench import (
    NUMBER,
    THE_CLIENTS_WARNINGS,
    Conversation,
    Worker,
    channel,
    crowd,
    send_settings,
    working,
)
from parley_common import topology
from parley_common.control import switch_sending
from parley_common.doorbells import Later
from parley_common.events import Evidence, FailureClass, PartAttempted, PartSent, Priority, Restored, Slot
from parley_common.lanes import NOTIFICATIONS, OPERATORS, REPLIES, Lane
from parley_egress.breaker import OPENS_AFTER

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

QUICK = send_settings(settle_s=1.0, timeout_s=0.5)


async def test_p4_while_twilio_is_down_attempts_are_not_burned_and_all_go_once_afterwards(
    broker: Stack, twilio: TwilioStub
) -> None:
    twilio.otherwise, twilio.log_status = say(503, "down"), 503
    async with working(broker.nats_url, twilio, QUICK) as worker:
        people = crowd(worker.bus, 60)
        for n, conversation in enumerate(people):
            await conversation.reply(f"hello {n}")
        first, rest = people[:OPENS_AFTER], people[OPENS_AFTER:]
        draining = [asyncio.create_task(worker.drain(conversation, 60)) for conversation in first]
        await wait_until(lambda: worker.accounts.of(worker.channel).breaker.is_open)
        draining += [asyncio.create_task(worker.drain(conversation, 60)) for conversation in rest]
        await asyncio.sleep(2.0)
        probes = len(twilio.posts) - OPENS_AFTER
        twilio.otherwise, twilio.log_status = create, 200
        await asyncio.gather(*draining)
    assert 1 <= probes <= 3, "one after a second, one two seconds later"
    assert Counter(post.body for post in twilio.created) == Counter(f"hello {n}" for n in range(60))


async def test_p4_a_part_that_was_ever_in_doubt_is_looked_for_before_each_further_attempt(
    broker: Stack, twilio: TwilioStub
) -> None:
    """The first attempt made a text that nobody knew of; its callback comes while a second one is throttled."""
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)

        async def refuse_and_call_back(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
            await conversation.report(post.part_id)
            return await refuse(429, 20429)(stub, request, post)

        twilio.script.extend([cut_off(creates=False), refuse_and_call_back])
        await conversation.reply("hello")
        await worker.drain(conversation)
        sent = (await conversation.chain())[-1]
    assert len(twilio.posts) == 2
    assert isinstance(sent, PartSent)
    assert sent.evidence is Evidence.CALLBACK


async def test_p5_a_conversation_in_backoff_delays_nobody_else(worker: Worker, twilio: TwilioStub) -> None:
    throttled, other = crowd(worker.bus, 2)

    async def answer(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
        refusal: Answer = refuse(429, 20429)
        return await (refusal if post.form["To"] == throttled.contact else create)(stub, request, post)

    twilio.otherwise = answer
    await throttled.reply("slow")
    waiting = asyncio.create_task(worker.drain(throttled, 60))
    await wait_until(lambda: twilio.posts)
    await other.reply("quick")
    await worker.drain(other, timeout_s=10.0)
    assert not waiting.done()
    twilio.otherwise = create
    await waiting
    assert [post.body for post in twilio.created] == ["quick", "slow"]


async def test_p6_a_reply_does_not_wait_behind_ten_thousand_notifications(
    broker: Stack, twilio: TwilioStub
) -> None:
    """That it waits for one slot at most is ``test_desk``'s; a slow machine may take a second to hear of it."""
    async with egress(broker.nats_url, twilio, rate_mps=10.0), working(broker.nats_url, twilio) as other:
        people = crowd(other.bus, 10_000)
        for first in range(0, len(people), 500):
            await asyncio.gather(*(person.notify("news") for person in people[first : first + 500]))
        await wait_until(lambda: len(twilio.posts) >= 5, 40)
        for n in range(3):
            before = len(twilio.posts)
            await people[-1 - n].reply(f"answer {n}")
            await wait_until(partial(_is_posted, twilio, f"answer {n}"), 30)
            assert len(twilio.posts) - before <= 15


async def test_p6_fewer_requests_at_once_after_20429(worker: Worker, twilio: TwilioStub) -> None:
    together, most, crowded = 0, 0, asyncio.Event()

    async def answer(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
        nonlocal together, most
        together += 1
        if together > 8:
            crowded.set()
        try:
            await crowded.wait()  # however slowly they come, there are too many once
            await asyncio.sleep(0.05)
            if together > 8:
                return await refuse(429, 20429)(stub, request, post)
            most = max(most, together)
            return await create(stub, request, post)
        finally:
            together -= 1

    twilio.otherwise = answer
    people = crowd(worker.bus, 60)
    for conversation in people:
        await conversation.reply("hello")
    await asyncio.gather(*(worker.drain(conversation, 60) for conversation in people))
    assert len(twilio.created) == 60
    assert worker.accounts.of(worker.channel).places.limit < 60


async def test_p13_after_an_outage_what_expired_is_removed_and_the_oldest_goes_first(
    broker: Stack, twilio: TwilioStub
) -> None:
    async with working(broker.nats_url, twilio, rate_mps=20.0) as worker:
        await switch_sending(worker.bus, "", paused=True, reason="test")
        await wait_until(lambda: worker.switches.paused("default"))
        people = crowd(worker.bus, 20)
        for n, conversation in enumerate(people):
            await conversation.reply(f"text {n:02}", expires_in_s=1.0 if n % 2 else 60.0)
        draining = [asyncio.create_task(worker.drain(c, 30)) for c in reversed(people)]
        failures = 0

        async def expired() -> bool:
            nonlocal failures
            failures = sum([len(await c.failures()) for c in people])
            return failures == 10

        await wait_until(expired, 20, what="all that expired being removed while sending is paused")
        assert twilio.posts == []
        await switch_sending(worker.bus, "", paused=False, reason="test")
        await asyncio.gather(*draining)
    assert [post.body for post in twilio.posts] == [f"text {n:02}" for n in range(0, 20, 2)]


async def test_p14_a_pause_is_obeyed_at_once_and_holds_all(worker: Worker, twilio: TwilioStub) -> None:
    await switch_sending(worker.bus, "default", paused=True, reason="test")
    await wait_until(lambda: worker.switches.paused("default"), 1.0, what="the pause being heard within a second")
    conversation = Conversation(worker.bus)
    await conversation.reply("hello")
    draining = asyncio.create_task(worker.drain(conversation, 30))
    await asyncio.sleep(0.5)
    assert twilio.posts == []
    assert await conversation.chain() == []
    await switch_sending(worker.bus, "default", paused=False, reason="test")
    await draining
    assert [post.body for post in twilio.posts] == ["hello"]


async def test_p14_who_cannot_hear_the_operator_sends_nothing(worker: Worker) -> None:
    assert not worker.switches.paused("default")
    worker.switches._read_at_s -= 60.0
    assert worker.switches.paused("default")


async def test_p14_a_channels_day_ends_at_its_cap(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, daily_segments=3) as worker:
        await worker.bus.js.purge_stream(topology.COUNTERS)
        people = crowd(worker.bus, 5)
        for conversation in people:
            await conversation.reply("hello")
            await worker.drain(conversation)
        failures = [failure.failure for c in people for failure in await c.failures()]
    assert len(twilio.posts) == 3
    assert failures == [FailureClass.SPEND_CAP] * 2


async def test_p14_nothing_is_sent_to_a_country_that_is_not_allowed(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, countries=frozenset({"US"})) as worker:
        home, abroad = (Conversation(worker.bus, contact=number) for number in ("+12025550123", "+18765550123"))
        for conversation in (home, abroad):
            await conversation.reply("hello")
            await worker.drain(conversation)
        assert [failure.failure for failure in await abroad.failures()] == [FailureClass.NOT_ALLOWED]
    assert [post.form["To"] for post in twilio.posts] == [home.contact]


@pytest.mark.parametrize(
    ("code", "seconds"), [pytest.param(14107, 60, id="a loop"), pytest.param(30450, 1800, id="a fraud block")]
)
async def test_p14_a_block_that_twilio_reports_holds_the_conversation(
    worker: Worker, twilio: TwilioStub, conversation: Conversation, code: int, seconds: int
) -> None:
    await conversation.reply("one")
    await worker.drain(conversation)
    await conversation.report(twilio.posts[0].part_id, status="failed", error_code=code)
    await conversation.reply("two")
    with pytest.raises(Later) as later:
        await worker.drain(conversation)
    assert min(seconds, 300) - 10 < later.value.delay_s <= min(seconds, 300)
    assert len(twilio.posts) == 1


async def test_p13_what_a_restored_backup_does_not_remember_is_looked_for_before_it_is_sent(
    broker: Stack, twilio: TwilioStub
) -> None:
    """Turns of before the restore: one that was sent after the backup, and one that never was."""
    async with working(broker.nats_url, twilio, QUICK) as worker:
        sent, unsent, later = crowd(worker.bus, 3)
        await sent.reply("you have it", "and this")
        await unsent.reply("you do not have it")
        for body in ("you have it", "and this"):
            form = {"To": sent.contact, "From": NUMBER, "Body": body}
            at = datetime.now(UTC)
            post = Post(at_s=0.0, at=at, account=channel("").account_sid, authorization="", form=form)
            twilio.log(post, f"SM{body:>032}".replace(" ", "0"))
        await worker.bus.publish(topology.RESTORED, _restored())
        await wait_until(lambda: worker.switches.restored)
        await asyncio.sleep(0.1)
        await later.reply("new")
        for conversation in (sent, unsent, later):
            await worker.drain(conversation, 30)
        assert await sent.kinds() == ["PartAttempted", "PartSent"] * 2
        assert [type(event) for event in await later.chain()] == [PartAttempted, PartSent]
    assert [post.body for post in twilio.posts] == ["you do not have it", "new"]


async def test_notifications_have_a_chain_of_their_own_and_wait_for_their_time(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    await conversation.notify("tomorrow", not_before=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(Later):
        await worker.drain_notifications(conversation)
    await conversation.reply("now")
    await worker.drain(conversation)
    assert await conversation.chain(NOTIFICATIONS) == []
    assert [post.body for post in twilio.posts] == ["now"]


async def test_the_chains_of_the_lanes_know_nothing_of_one_another(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    async def send(lane: Lane) -> int:
        if lane is REPLIES:
            return await worker.drain(conversation)
        return await worker.drain_lane(conversation, lane)

    stored = {
        NOTIFICATIONS: await conversation.notify("news"),
        REPLIES: await conversation.reply("the answer"),
        OPERATORS: await conversation.notify("from a person", priority=Priority.OPERATOR),
    }
    assert await asyncio.gather(*map(send, stored)) == list(stored.values())
    for lane, seq in stored.items():
        first, last = await conversation.chain(lane)
        assert isinstance(first, PartAttempted)
        assert isinstance(last, PartSent)
        assert first.slot == last.slot == Slot(turn=seq, message=0, part=0)
    assert sorted(post.body for post in twilio.posts) == ["from a person", "news", "the answer"]


async def test_an_open_message_of_a_sender_that_is_gone_stops_nobody_for_ever(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    """The Messaging Service was taken out of the settings while a reply of it was open."""
    await conversation.reply("of the service", sender="MG" + "0" * 32)
    await conversation.reply("of the number")
    await worker.drain(conversation)
    assert [post.form.get("From") for post in twilio.posts] == [None, NUMBER]


async def test_refused_attempts_do_not_eat_the_days_cap(broker: Stack, twilio: TwilioStub) -> None:
    twilio.script.extend([refuse(429, 20429)] * 4)
    async with working(broker.nats_url, twilio, daily_segments=2) as worker:
        await worker.bus.js.purge_stream(topology.COUNTERS)
        for conversation in crowd(worker.bus, 2):
            await conversation.reply("hello")
            await worker.drain(conversation, 60)
    assert len(twilio.created) == 2


async def test_an_account_that_twilio_refuses_is_held_and_goes_on_when_it_is_mended(
    worker: Worker, twilio: TwilioStub
) -> None:
    people = crowd(worker.bus, 10)
    twilio.otherwise = refuse(401, 20003)
    for conversation in people:
        await conversation.reply("hello")
    draining = [asyncio.create_task(worker.drain(conversation, 60)) for conversation in people]
    await wait_until(lambda: worker.accounts.of(worker.channel).breaker.is_open)
    twilio.otherwise = create
    await asyncio.gather(*draining)
    assert len(twilio.created) == 10


def _is_posted(twilio: TwilioStub, body: str) -> bool:
    return any(post.body == body for post in twilio.posts)


def _restored() -> Restored:
    now = datetime.now(UTC)
    return Restored(id="r", at=now, channel="", conversation="", taken_at=now - timedelta(hours=1))
