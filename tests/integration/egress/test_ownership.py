"""One owner per sender: its bells find it, its rate holds, and another takes over when it is gone."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from aiohttp import web
from nats.aio.msg import Msg

from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.processes import (
    all_bells_answered,
    bells_are_asked_for,
    egress,
    egress_process,
    most_segments_in_a_second,
    start_egress,
)
from integration.egress.twilio_stub import Answer, Post, TwilioStub, after, create, refuse, slowly
from integration.egress.workbench import (
    NUMBER,
    THE_CLIENTS_WARNINGS,
    Conversation,
    Worker,
    crowd,
    send_settings,
    working,
)
from parley_common.events import PartAttempted
from parley_egress.rate import Bucket

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]


async def test_a_bell_is_acked_once_its_turn_is_over(broker: Stack, twilio: TwilioStub, worker: Worker) -> None:
    conversation = Conversation(worker.bus)
    await conversation.reply("one", "two")
    await conversation.reply()
    async with egress(broker.nats_url, twilio) as work:
        await wait_until(lambda: all_bells_answered(worker.bus))
        assert not await work.problems()
    assert [post.body for post in twilio.posts] == ["one", "two"]


async def test_a_bell_is_held_while_its_turn_is_not_over(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    release = asyncio.Event()
    twilio.script.append(after(lambda _post: release.wait(), create))
    conversation = Conversation(worker.bus)
    async with egress(broker.nats_url, twilio):
        await conversation.reply("one")
        await wait_until(lambda: twilio.posts)
        assert not await all_bells_answered(worker.bus)
        release.set()
        await wait_until(lambda: all_bells_answered(worker.bus))


async def test_bells_that_reach_another_are_answered_by_the_owner(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    forwarded: list[str] = []

    async def note(message: Msg) -> None:
        forwarded.append(message.subject)

    await worker.bus.nc.subscribe("egress.*.bells", cb=note)
    async with egress(broker.nats_url, twilio), egress(broker.nats_url, twilio):
        people = crowd(worker.bus, 60)
        for conversation in people:
            await conversation.reply("one", "two")
        await wait_until(lambda: len(twilio.posts) == 120, what="all texts being posted")
        await wait_until(lambda: all_bells_answered(worker.bus), what="all bells being answered")
        workers = {attempt.worker for c in people for attempt in await c.attempts()}
    assert len(workers) == 1, "one sender had two owners"
    assert forwarded, "no bell reached the other: this run proves nothing"
    assert set(Counter(post.part_id for post in twilio.posts).values()) == {1}


async def test_p6_a_sender_keeps_its_rate_and_uses_it(broker: Stack, twilio: TwilioStub, worker: Worker) -> None:
    people = crowd(worker.bus, 80)
    for conversation in people:
        await conversation.reply("hello")
    async with egress(broker.nats_url, twilio, rate_mps=20.0), egress(broker.nats_url, twilio, rate_mps=20.0):
        await wait_until(lambda: len(twilio.posts) == 80, what="all texts being posted")
    # One more than the rate: a request may take a few milliseconds longer than the one after it.
    assert most_segments_in_a_second(twilio.posts) <= 22, "arrivals jitter, the rate does not"
    assert twilio.posts[-1].at_s - twilio.posts[0].at_s < 79 / 20.0 * 1.1


async def test_a_crowd_after_a_quiet_hour_is_paced_without_failures(broker: Stack, twilio: TwilioStub) -> None:
    """Whoever wrote an attempt and then waits longer than a POST may take to begin has to begin anew."""
    async with working(broker.nats_url, twilio, rate_mps=10.0) as worker:
        desk = worker.ownership.desk(worker.channel, NUMBER)
        assert desk is not None
        long_ago = Bucket(segments_per_s=10.0, free_at_s=time.monotonic() - 3_600.0)
        desk.bucket = long_ago
        people = crowd(worker.bus, 80)
        for conversation in people:
            await conversation.reply("hello")
        await asyncio.gather(*(worker.drain(conversation, 40) for conversation in people))
        failures = [failure for conversation in people for failure in await conversation.failures()]
    assert failures == []
    assert most_segments_in_a_second(twilio.posts) <= 11
    assert twilio.posts[-1].at_s - twilio.posts[0].at_s < 79 / 10.0 * 1.1


async def test_a_sender_keeps_its_rate_after_the_broker_was_frozen(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    for conversation in crowd(worker.bus, 120):
        await conversation.reply("hello")
    async with egress(broker.nats_url, twilio, rate_mps=20.0):
        await wait_until(lambda: len(twilio.posts) >= 5)
        broker["nats"].pause()
        await asyncio.sleep(1.5)
        broker["nats"].resume()
        await wait_until(lambda: len(twilio.created) == 120, 30, what="all texts being posted")
    assert most_segments_in_a_second(twilio.posts) <= 21


async def test_a_sender_keeps_its_rate_after_twilio_was_slow(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    """With every connection in use, parts that have their slots pile up before the pool."""
    release = asyncio.Event()
    twilio.script.extend([after(lambda _post: release.wait(), create)] * 100)
    for conversation in crowd(worker.bus, 200):
        await conversation.reply("hello")
    async with egress(broker.nats_url, twilio, rate_mps=60.0, sending=send_settings(timeout_s=10.0)):
        await wait_until(lambda: len(twilio.posts) == 100, what="the pool being full")
        await asyncio.sleep(1.2)
        release.set()
        await wait_until(lambda: len(twilio.created) == 200, 20, what="all texts being posted")
    assert most_segments_in_a_second(twilio.posts) <= 61


async def test_a_sender_keeps_its_rate_when_the_broker_has_forgotten_who_owns_it(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    for conversation in crowd(worker.bus, 120):
        await conversation.reply("hello")
    async with egress(broker.nats_url, twilio, rate_mps=20.0), egress(broker.nats_url, twilio, rate_mps=20.0):
        for posted in (10, 40, 70):
            await wait_until(partial(_has_posted, twilio, posted), 30)
            await broker["nats"].restart()
        await wait_until(lambda: len(twilio.created) == 120, 60, what="all texts being posted")
    assert most_segments_in_a_second(twilio.posts) <= 21


async def test_a_new_owner_waits_until_the_last_part_is_paid_for(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    one, other = crowd(worker.bus, 2)
    eleven_segments = "a" * 1_600
    async with egress(broker.nats_url, twilio, rate_mps=10.0):
        await one.reply(eleven_segments)
        await wait_until(lambda: all_bells_answered(worker.bus))
    async with egress(broker.nats_url, twilio, rate_mps=10.0):
        await other.reply(eleven_segments)
        await wait_until(lambda: len(twilio.posts) == 2)
    assert twilio.posts[1].at_s - twilio.posts[0].at_s >= 11 / 10.0


async def test_another_takes_over_when_the_owner_is_killed(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    people = {conversation.contact: conversation for conversation in crowd(worker.bus, 40)}

    async def call_back(post: Post) -> None:
        await people[post.form["To"]].report(post.part_id)

    twilio.otherwise = slowly(0.05, creating_then(call_back))
    owner = egress_process(broker, "egress-1", twilio, rate_mps=20.0, settle_s=9.0)
    heir = egress_process(broker, "egress-2", twilio, rate_mps=20.0, settle_s=9.0)
    await owner.start()
    for conversation in people.values():
        await conversation.reply("one", "two")
    await wait_until(lambda: len(twilio.posts) >= 15)
    await heir.start()
    owner.kill()
    await wait_until(lambda: all_bells_answered(worker.bus), 60, what="all bells being answered")
    await heir.stop()
    for conversation in people.values():
        assert [p.body for p in twilio.created if p.form["To"] == conversation.contact] == ["one", "two"]
        assert "PartFailed" not in await conversation.kinds()
    assert most_segments_in_a_second(twilio.posts) <= 21


def creating_then(call_back: Callable[[Post], Awaitable[object]]) -> Answer:
    """Twilio calls back about what it created, whether or not anybody waits for its answer."""

    async def answer(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
        response = await create(stub, request, post)
        await asyncio.shield(asyncio.ensure_future(call_back(post)))
        return response

    return answer


async def test_an_orderly_stop_leaves_nothing_in_doubt(broker: Stack, twilio: TwilioStub, worker: Worker) -> None:
    twilio.otherwise = slowly(0.3)
    people = crowd(worker.bus, 100)
    for conversation in people:
        await conversation.reply("hello")
    work = await start_egress(broker.nats_url, twilio, rate_mps=20.0)
    await wait_until(lambda: len(twilio.posts) >= 5)
    await work.stop(3.0)
    ends = [chain[-1] for c in people if (chain := await c.chain())]
    assert not [end for end in ends if isinstance(end, PartAttempted)]


async def test_bells_do_not_bounce_while_their_owner_stops(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    bounced: list[str] = []

    async def note(message: Msg) -> None:
        bounced.append(message.subject)

    busy, other = crowd(worker.bus, 2)
    twilio.script.append(slowly(1.5))
    owner = await start_egress(broker.nats_url, twilio)
    await busy.reply("hello")
    await wait_until(lambda: twilio.posts)
    async with egress(broker.nats_url, twilio):
        await worker.bus.nc.subscribe("egress.*.bells", cb=note)
        stopping = asyncio.create_task(owner.stop(6.0))
        await asyncio.sleep(0.2)
        await other.reply("hello")
        await stopping
        await wait_until(lambda: len(twilio.created) == 2, 20)
    assert len(bounced) < 20


async def test_a_sender_that_is_refused_does_not_hold_up_the_stop(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    twilio.otherwise = refuse(429, 20429)
    conversation = Conversation(worker.bus)
    work = await start_egress(broker.nats_url, twilio)
    await conversation.reply("hello")
    await wait_until(lambda: len(twilio.posts) >= 2)
    async with asyncio.timeout(4):
        await work.stop(2.0)
    assert (await conversation.kinds())[-1] == "PartFailed"


async def test_egress_starts_at_a_broker_that_was_restarted(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    """After a power cut nobody runs the declare step again, and all services start at once."""
    await Conversation(worker.bus).reply("hello")
    await broker["nats"].restart()
    async with asyncio.timeout(5):
        work = await start_egress(broker.nats_url, twilio)
    await wait_until(lambda: twilio.created)
    await work.stop(2.0)


async def test_p12_bells_that_ring_while_egress_stops_are_soon_heard_by_the_next(
    broker: Stack, twilio: TwilioStub, worker: Worker
) -> None:
    for number, conversation in enumerate(crowd(worker.bus, 5), start=1):
        leaving = await start_egress(broker.nats_url, twilio)
        await wait_until(lambda: bells_are_asked_for(worker.bus))
        stopping = asyncio.create_task(leaving.stop(4.0))
        await asyncio.sleep(0)
        await conversation.reply("hello")
        await stopping
        async with egress(broker.nats_url, twilio):
            await wait_until(partial(_has_created, twilio, number), 5)


def _has_posted(twilio: TwilioStub, number: int) -> bool:
    return len(twilio.posts) >= number


def _has_created(twilio: TwilioStub, number: int) -> bool:
    return len(twilio.created) == number
