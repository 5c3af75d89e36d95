"""Replies become texts at Twilio: in order, each once, to those who want them."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from datetime import UTC, datetime

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.twilio_stub import TwilioStub, after, create, refuse, slowly
from integration.egress.workbench import (
    ACCOUNT,
    NUMBER,
    PERSON,
    THE_CLIENTS_WARNINGS,
    Conversation,
    Worker,
    crowd,
    send_settings,
    working,
)
from parley_common import topology
from parley_common.events import (
    Evidence,
    FailureClass,
    Media,
    PartAttempted,
    PartFailed,
    PartSent,
)

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

LONG = "word " * 800  # three parts


async def test_a_reply_is_posted_as_twilio_wants_it(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    await conversation.reply("hello", media=(Media(url="https://m.example/1.png", content_type="image/png"),))
    await worker.drain(conversation)
    (post,) = twilio.posts
    assert post.account == ACCOUNT
    assert post.authorization.startswith("Basic ")
    assert (post.form["To"], post.form["From"], post.form["Body"]) == (PERSON, NUMBER, "hello")
    assert post.form["MediaUrl"] == "https://m.example/1.png"
    callback = post.form["StatusCallback"]
    assert callback.startswith("https://sms.example.com/webhooks/twilio/status?part=")
    assert callback.endswith("#rc=5&rp=all")


async def test_a_sent_part_is_recorded_with_its_sid(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    turn = await conversation.reply("hello")
    assert await worker.drain(conversation) == turn
    attempt, sent = await conversation.chain()
    assert isinstance(attempt, PartAttempted)
    assert isinstance(sent, PartSent)
    assert (sent.sid, sent.evidence, sent.twilio_status) == ("SM" + f"{1:032x}", Evidence.RESPONSE, "queued")
    assert sent.part_id == attempt.part_id == twilio.posts[0].part_id
    stored = await worker.bus.next(topology.sends(conversation.id), seq=sent.attempted)
    assert stored is not None
    assert stored.event() == attempt


async def test_parts_and_replies_and_turns_go_in_order(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    twilio.otherwise = slowly(0.01)
    await conversation.reply("one", LONG, "two")
    await conversation.reply()
    turn = await conversation.reply("three", media=())
    assert await worker.drain(conversation) == turn
    starts = [post.body.split(" ")[0] for post in twilio.posts]
    assert starts == ["one", "(1/3)", "(2/3)", "(3/3)", "two", "three"]
    assert await conversation.kinds() == ["PartAttempted", "PartSent"] * 6


async def test_only_the_first_part_carries_the_media(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    await conversation.reply(LONG, media=(Media(url="https://m.example/1.png", content_type="image/png"),))
    await worker.drain(conversation)
    assert ["MediaUrl" in post.form for post in twilio.posts] == [True, False, False]


async def test_a_reply_to_whatsapp_keeps_its_formatting_and_sends_one_picture_a_message(
    worker: Worker, twilio: TwilioStub
) -> None:
    person = Conversation(worker.bus, contact="whatsapp:" + PERSON)
    pictures = tuple(Media(url=f"https://m.example/{n}.png", content_type="image/png") for n in range(3))
    await person.reply("**Two** pictures – “here”", media=pictures)
    await person.reply("next")
    await worker.drain(person)
    assert [post.form.get("Body") for post in twilio.posts] == ["*Two* pictures – “here”", None, None, "next"]
    assert [post.form.get("MediaUrl") for post in twilio.posts] == [*(media.url for media in pictures), None]
    assert await person.kinds() == ["PartAttempted", "PartSent"] * 4


async def test_a_picture_alone_has_no_body(worker: Worker, twilio: TwilioStub, conversation: Conversation) -> None:
    await conversation.reply("", media=(Media(url="https://m.example/1.png", content_type="image/png"),))
    await worker.drain(conversation)
    assert "Body" not in twilio.posts[0].form


async def test_a_blank_reply_is_not_posted(worker: Worker, twilio: TwilioStub, conversation: Conversation) -> None:
    await conversation.reply(" \n ")
    await worker.drain(conversation)
    assert twilio.posts == []


async def test_what_was_sent_is_not_sent_again(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    turn = await conversation.reply("one", "two")
    assert [await worker.drain(conversation) for _ in range(3)] == [turn] * 3
    assert len(twilio.posts) == 2


async def test_throttling_is_waited_out_and_seen(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    twilio.script.extend([refuse(429, 20429), refuse(429, 20429)])
    await conversation.reply("hello")
    await worker.drain(conversation)
    assert (len(twilio.posts), len(twilio.created)) == (3, 1)
    chain = await conversation.chain()
    assert [type(event) for event in chain] == [
        *(PartAttempted, PartFailed),
        *(PartAttempted, PartFailed),
        *(PartAttempted, PartSent),
    ]
    failures = [event for event in chain if isinstance(event, PartFailed)]
    assert [(event.failure, event.final, event.code) for event in failures] == [
        (FailureClass.THROTTLED, False, 20429)
    ] * 2
    assert [attempt.attempt for attempt in await conversation.attempts()] == [1, 2, 3]
    assert len({attempt.part_id for attempt in await conversation.attempts()}) == 1
    waits_s = [later.at_s - earlier.at_s for earlier, later in zip(twilio.posts, twilio.posts[1:], strict=False)]
    assert waits_s[0] >= 0.1
    assert waits_s[1] >= 0.2


async def test_a_conversation_in_backoff_delays_no_other(worker: Worker, twilio: TwilioStub) -> None:
    waiting, other = crowd(worker.bus, 2)
    twilio.script.append(refuse(429, 20429))
    await waiting.reply("first")
    draining = asyncio.create_task(worker.drain(waiting))
    await wait_until(lambda: twilio.posts)
    await other.reply("second")
    await worker.drain(other)
    assert not draining.done()
    await draining
    assert [post.body for post in twilio.posts] == ["first", "second", "first"]


@pytest.mark.parametrize("code", [21211, 21612, 21617, 21606, 29_999])
async def test_a_permanent_code_is_not_tried_again(
    code: int, worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    twilio.script.append(refuse(400, code))
    await conversation.reply(LONG, "next")
    await worker.drain(conversation)
    assert [post.body.split(" ")[0] for post in twilio.posts] == ["(1/3)", "next"]
    _, failed, *_ = await conversation.chain()
    assert isinstance(failed, PartFailed)
    assert (failed.final, failed.code) == (True, code)


async def test_an_address_that_nobody_listens_at_means_not_sent(broker: Stack, twilio: TwilioStub) -> None:
    nowhere = TwilioStub(url="http://127.0.0.1:9")
    async with working(broker.nats_url, nowhere) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello", expires_in_s=1.5)
        await worker.drain(conversation)
        chain = await conversation.chain()
    failures = [event for event in chain if isinstance(event, PartFailed)]
    assert failures[0].failure is FailureClass.UNREACHABLE
    assert not failures[0].final
    assert (failures[-1].failure, failures[-1].final) == (FailureClass.EXPIRED, True)


async def test_an_address_that_drops_what_comes_means_not_sent(broker: Stack) -> None:
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        silent = TwilioStub(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        async with working(broker.nats_url, silent, send_settings(timeout_s=0.4)) as worker:
            conversation = Conversation(worker.bus)
            await conversation.reply("hello", expires_in_s=1.0)
            await worker.drain(conversation, 5)
            first_failure, *_ = await conversation.failures()
    assert (first_failure.failure, first_failure.final) == (FailureClass.UNREACHABLE, False)


async def test_an_opt_out_at_twilio_ends_the_reply_and_is_remembered(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    twilio.script.append(refuse(400, 21610))
    await conversation.reply("one", "two")
    await worker.drain(conversation)
    assert [post.body for post in twilio.posts] == ["one"]
    assert not await worker.consent.granted(NUMBER, PERSON)
    _, first, second = await conversation.chain()
    assert isinstance(first, PartFailed)
    assert isinstance(second, PartFailed)
    assert (first.failure, first.final, first.code) == (FailureClass.OPTED_OUT, True, 21610)
    assert (second.failure, second.final, second.attempted) == (FailureClass.OPTED_OUT, True, 0)
    await conversation.reply("later")
    await worker.drain(conversation)
    assert len(twilio.posts) == 1


async def test_an_opt_out_counts_as_of_its_post(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    """Who said START while Twilio was still refusing is not silenced again."""
    twilio.script.append(
        after(lambda _post: conversation.consents(worker.consent, granted=True), refuse(400, 21610))
    )
    await conversation.reply("one", "two")
    await worker.drain(conversation)
    assert await worker.consent.granted(NUMBER, PERSON)
    assert [post.body for post in twilio.posts] == ["one", "two"]


async def test_a_stop_is_for_one_person_and_one_sender(worker: Worker, twilio: TwilioStub) -> None:
    stopped, other = crowd(worker.bus, 2)
    await stopped.consents(worker.consent, granted=False)
    await other.consents(worker.consent, granted=False, scope="+15550009999")
    for conversation in (stopped, other):
        await conversation.reply("hello")
        await worker.drain(conversation)
    assert [post.form["To"] for post in twilio.posts] == [other.contact]


async def test_a_stop_between_two_parts_stops_the_second(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    twilio.script.append(after(lambda _post: conversation.consents(worker.consent, granted=False), create))
    await conversation.reply(LONG)
    turn = conversation.last_turn
    assert await worker.drain(conversation) == turn
    assert len(twilio.posts) == 1
    failed = (await conversation.chain())[-1]
    assert isinstance(failed, PartFailed)
    assert (failed.failure, failed.final, failed.slot.part) == (FailureClass.OPTED_OUT, True, 1)


async def test_p8_a_stop_while_waiting_for_a_slot_counts(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, rate_mps=1.0) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        draining = asyncio.create_task(worker.drain(conversation))
        await asyncio.sleep(0.1)
        await conversation.consents(worker.consent, granted=False)
        await draining
    assert twilio.posts == []


async def test_start_after_stop_lets_replies_through_again(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    for granted in (False, True):
        await conversation.consents(worker.consent, granted=granted)
    await conversation.reply("welcome back")
    await worker.drain(conversation)
    assert len(twilio.posts) == 1


async def test_an_expired_reply_is_never_posted(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    await conversation.reply("late", "later", expires_in_s=-1.0)
    turn = await conversation.reply("in time")
    assert await worker.drain(conversation) == turn
    assert [post.body for post in twilio.posts] == ["in time"]
    first = (await conversation.chain())[0]
    assert isinstance(first, PartFailed)
    assert (first.failure, first.final, first.attempted) == (FailureClass.EXPIRED, True, 0)


async def test_trying_again_ends_at_the_expiry(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    twilio.otherwise = refuse(429, 20429)
    await conversation.reply("hello", expires_in_s=0.8)
    expiry = datetime.now(UTC).timestamp() + 0.8
    await worker.drain(conversation)
    last = (await conversation.chain())[-1]
    assert isinstance(last, PartFailed)
    assert (last.failure, last.final) == (FailureClass.EXPIRED, True)
    assert max(attempt.at.timestamp() for attempt in await conversation.attempts()) < expiry


async def test_a_reply_of_a_channel_that_is_gone_is_given_up(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    turn = await conversation.reply("hello", channel="gone")
    assert await worker.drain(conversation) == turn
    (failed,) = await conversation.chain()
    assert isinstance(failed, PartFailed)
    assert (failed.failure, failed.final, twilio.posts) == (FailureClass.CONFIGURATION, True, [])


async def test_the_first_attempt_fixes_how_a_reply_is_split(
    broker: Stack, twilio: TwilioStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release may split in another way; what is under way stays as it was."""
    twilio.script.append(refuse(429, 20429))
    async with working(broker.nats_url, twilio) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply(LONG)
        draining = asyncio.create_task(worker.drain(conversation))
        await wait_until(conversation.failures)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        attempt, *_ = await conversation.attempts()
        monkeypatch.setattr("parley_egress.outbox.render", lambda _reply, _most, _network: ("other", "split"))
        async with working(broker.nats_url, twilio) as newer:
            await newer.drain(conversation)
    assert [post.body for post in twilio.created] == [attempt.body, *attempt.rest]


async def race(person: Conversation, first: Worker, second: Worker) -> None:
    """Both work on the conversation; the first has a head start, so that each wins some."""
    ahead = asyncio.create_task(first.drain(person, 60))
    await asyncio.sleep(0.01)
    await asyncio.gather(ahead, second.drain(person, 60))


async def test_two_owners_at_once_post_every_part_once(broker: Stack, twilio: TwilioStub) -> None:
    """Ownership saves work; that nothing is sent twice rests on the chain alone."""
    twilio.otherwise = slowly(0.02)
    settings = send_settings(settle_s=3.0)
    async with (
        working(broker.nats_url, twilio, settings) as one,
        working(broker.nats_url, twilio, settings) as other,
    ):
        people = crowd(one.bus, 20)
        for conversation in people:
            await conversation.reply("a", "b")
        first_asked = [(one, other) if n % 2 else (other, one) for n in range(len(people))]
        pairs = zip(people, first_asked, strict=True)
        await asyncio.gather(*(race(person, *workers) for person, workers in pairs))
        workers = {attempt.worker for c in people for attempt in await c.attempts()}
    posts = Counter(post.part_id for post in twilio.posts)
    assert len(posts) == 40
    assert set(posts.values()) == {1}
    for conversation in people:
        bodies = [post.body for post in twilio.posts if post.form["To"] == conversation.contact]
        assert bodies == ["a", "b"]
    assert len(workers) == 2, "one of the two did everything: this run proves nothing"


async def test_an_attempt_that_took_too_long_to_write_is_not_posted(
    worker: Worker, twilio: TwilioStub, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was frozen meanwhile may have been replaced, and the replacement may post."""
    monkeypatch.setattr("parley_egress.sending.POST_WITHIN_S", 0.0)
    await conversation.reply("hello", expires_in_s=0.5)
    await worker.drain(conversation)
    assert twilio.posts == []
    _, failed, *_ = await conversation.chain()
    assert isinstance(failed, PartFailed)
    assert (failed.failure, failed.final) == (FailureClass.UNREACHABLE, False)
