"""A part in doubt: evidence first, then one more attempt, and never two texts where there is evidence."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.twilio_stub import (
    Answer,
    Post,
    TwilioStub,
    after,
    create,
    cut_off,
    hang,
    refuse,
    say,
)
from integration.egress.workbench import (
    NUMBER,
    PERSON,
    THE_CLIENTS_WARNINGS,
    Conversation,
    Worker,
    claim,
    send_settings,
    working,
)
from parley_common import topology
from parley_common.events import Evidence, FailureClass, PartAttempted, PartSent

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

SETTLE_S = 1.0
PATIENT = send_settings(settle_s=60.0, timeout_s=0.4)
QUICK = send_settings(settle_s=SETTLE_S, timeout_s=0.4)

DOUBTFUL = [
    pytest.param(cut_off(creates=True), id="the connection ends"),
    pytest.param(
        hang(creates=True),
        id="no answer in time",
    ),
    pytest.param(refuse(500, 20500), id="Twilio's internal error"),
    pytest.param(say(502, "<html>Bad gateway</html>", creates=True), id="a gateway's error"),
    pytest.param(say(503, "", creates=True), id="an empty error"),
    pytest.param(say(429, "slow down", creates=True), id="a 429 that is not Twilio's"),
    pytest.param(say(403, "<html>blocked</html>", creates=True), id="a 403 of something on the way"),
    pytest.param(say(200, "<html>welcome</html>", creates=True), id="a success that is no JSON"),
    pytest.param(say(201, '{"status": "queued"}', "application/json", creates=True), id="a success without a SID"),
    pytest.param(say(201, '{"sid": null}', "application/json", creates=True), id="a success with an empty SID"),
    pytest.param(say(204, "", creates=True), id="a success without a body"),
    pytest.param(say(307, "", creates=True), id="a redirect"),
]


def reporting(conversation: Conversation, then: Answer) -> Answer:
    """The part's own status callback arrives before the answer is over."""

    async def report(post: Post) -> None:
        await conversation.report(post.part_id, status="queued")

    return after(report, then)


@pytest.mark.parametrize("answer", DOUBTFUL)
async def test_a_callback_proves_that_the_part_was_sent(answer: Answer, broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, PATIENT) as worker:
        conversation = Conversation(worker.bus)
        twilio.script.append(reporting(conversation, answer))
        await conversation.reply("one", "two")
        await worker.drain(conversation, 5)
        sent = [event for event in await conversation.chain() if isinstance(event, PartSent)]
    assert [post.body for post in twilio.posts] == ["one", "two"]
    assert [event.evidence for event in sent] == [Evidence.CALLBACK, Evidence.RESPONSE]
    assert sent[0].twilio_status == "queued"


@pytest.mark.parametrize("text", ["[]", "null", '"SM"', "7"])
async def test_a_success_that_is_no_object_is_in_doubt(text: str, broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, PATIENT) as worker:
        conversation = Conversation(worker.bus)
        twilio.script.append(reporting(conversation, say(201, text, "application/json", creates=True)))
        await conversation.reply("one")
        await worker.drain(conversation)
    assert len(twilio.posts) == 1


async def test_p4_without_evidence_the_part_is_sent_once_more_after_the_settle_time(
    broker: Stack, twilio: TwilioStub
) -> None:
    twilio.script.append(cut_off(creates=False))
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        await worker.drain(conversation)
        chain = await conversation.chain()
    assert [type(event) for event in chain] == [PartAttempted, PartAttempted, PartSent]
    first, second = twilio.posts
    assert second.at_s - first.at_s >= SETTLE_S
    assert (first.body, first.part_id) == (second.body, second.part_id)


async def test_a_part_that_stays_in_doubt_is_not_sent_a_third_time(broker: Stack, twilio: TwilioStub) -> None:
    """Twilio takes every text, and neither answer nor callback nor log finds its way back."""
    twilio.otherwise = cut_off(creates=True)
    twilio.log_status = 404
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello", "next")
        twilio.script.extend([cut_off(creates=True)] * 2 + [create])
        await worker.drain(conversation, 8)
        (failed,) = await conversation.failures()
    assert [post.body for post in twilio.posts] == ["hello", "hello", "next"]
    assert (failed.failure, failed.final) == (FailureClass.UNDECIDED, True)


async def test_a_log_that_cannot_be_read_now_is_waited_for(
    broker: Stack, twilio: TwilioStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the reply expires: then it is too late to send it again, and nobody knows."""
    monkeypatch.setattr("parley_egress.evidence._READ_LOG_EVERY_S", 0.5)
    twilio.script.append(cut_off(creates=True))
    twilio.log_status = 503
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello", expires_in_s=2.5)
        await worker.drain(conversation)
        (failed,) = await conversation.failures()
    assert len(twilio.posts) == 1
    assert (failed.failure, failed.final) == (FailureClass.UNDECIDED, True)


async def test_twilios_log_shows_that_the_part_was_sent(broker: Stack, twilio: TwilioStub) -> None:
    twilio.script.append(cut_off(creates=True))
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello there", "next")
        await worker.drain(conversation)
        sent = [event for event in await conversation.chain() if isinstance(event, PartSent)]
    assert [post.body for post in twilio.posts] == ["hello there", "next"]
    assert [(event.evidence, event.sid) for event in sent] == [
        (Evidence.LIST, f"SM{1:032x}"),
        (Evidence.RESPONSE, f"SM{2:032x}"),
    ]


async def test_the_log_is_not_read_before_the_settle_time(broker: Stack, twilio: TwilioStub) -> None:
    """Right after the POST Twilio may still be about to create the message."""
    twilio.script.append(cut_off(creates=True))
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        draining = asyncio.create_task(worker.drain(conversation))
        await wait_until(lambda: twilio.log_reads)
        read_after_s = time.monotonic() - twilio.posts[0].at_s
        await draining
    assert read_after_s >= SETTLE_S * 0.9


async def test_the_same_words_sent_before_are_not_taken_for_this_part(broker: Stack, twilio: TwilioStub) -> None:
    twilio.script.extend([create, cut_off(creates=False)])
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("yes", "yes")
        await worker.drain(conversation)
    assert len(twilio.created) == 2
    assert len(twilio.posts) == 3


UNLIKE = [
    pytest.param({"body": "hello!"}, id="other words"),
    pytest.param({"direction": "inbound"}, id="what the person texted"),
    pytest.param({"to": "+15550009999"}, id="what another person got"),
    pytest.param({"date_created": "Fri, 20 Nov 2020 12:00:00 +0000"}, id="an old one"),
    pytest.param({"date_created": None}, id="one without a date"),
    pytest.param(
        {"from": "+15550008888"},
        id="what another of our numbers sent",
    ),
]


@pytest.mark.parametrize("changes", UNLIKE)
async def test_what_is_unlike_the_part_in_the_log_proves_nothing(
    changes: dict[str, object], broker: Stack, twilio: TwilioStub
) -> None:
    async def log_another(post: Post) -> None:
        twilio.log(post, f"SM{99:032x}", **changes)

    twilio.script.append(after(log_another, cut_off(creates=False)))
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        await worker.drain(conversation)
    assert len(twilio.created) == 1


async def test_what_a_trial_account_puts_before_the_words_is_no_difference(
    broker: Stack, twilio: TwilioStub
) -> None:
    async def log_it(post: Post) -> None:
        twilio.log(post, f"SM{99:032x}", body=f"Sent from your Twilio trial account - {post.body}")

    twilio.script.append(after(log_it, cut_off(creates=False)))
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        await worker.drain(conversation)
    assert len(twilio.posts) == 1


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"contact": "+15550009999"}, id="another person's callback"),
        pytest.param({"channel": "other"}, id="another channel's callback"),
    ],
)
async def test_a_callback_that_is_not_the_parts_own_proves_nothing(
    forged: dict[str, Any], broker: Stack, twilio: TwilioStub
) -> None:
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        report = after(lambda post: conversation.report(post.part_id, **forged), cut_off(creates=False))
        twilio.script.append(report)
        await conversation.reply("hello")
        await worker.drain(conversation)
        sent = (await conversation.chain())[-1]
    assert len(twilio.posts) == 2
    assert isinstance(sent, PartSent)
    assert sent.evidence is Evidence.RESPONSE


async def test_a_forged_callback_does_not_hide_a_genuine_one(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        forged = after(lambda post: conversation.report(post.part_id, channel="other"), cut_off(creates=True))
        twilio.script.append(reporting(conversation, forged))
        await conversation.reply("hello")
        await worker.drain(conversation)
    assert len(twilio.posts) == 1


async def test_a_callback_for_another_part_proves_nothing(broker: Stack, twilio: TwilioStub) -> None:
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        twilio.script.append(after(lambda _post: conversation.report("f" * 32), cut_off(creates=False)))
        await conversation.reply("hello")
        await worker.drain(conversation)
    assert len(twilio.posts) == 2


async def test_evidence_that_comes_while_waiting_is_taken(broker: Stack, twilio: TwilioStub) -> None:
    twilio.script.append(cut_off(creates=True))
    async with working(broker.nats_url, twilio, PATIENT) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        draining = asyncio.create_task(worker.drain(conversation))
        await wait_until(lambda: twilio.created)
        await asyncio.sleep(0.7)
        await conversation.report(twilio.posts[0].part_id)
        await draining
    assert len(twilio.posts) == 1


async def test_evidence_that_comes_while_the_part_waits_for_its_slot_is_taken(
    broker: Stack, twilio: TwilioStub
) -> None:
    """A busy sender's queue may be minutes long: in that time the callback can still come."""
    twilio.script.append(cut_off(creates=False))
    async with working(broker.nats_url, twilio, QUICK, rate_mps=1.0) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        draining = asyncio.create_task(worker.drain(conversation))
        await wait_until(lambda: twilio.posts)
        desk = worker.ownership.desk(worker.channel, NUMBER)
        assert desk is not None
        before_it = await desk.slot(claim(segments=3))
        await wait_until(lambda: twilio.log_reads)
        await conversation.report(twilio.posts[0].part_id)
        before_it.give_back()
        await draining
        sent = (await conversation.chain())[-1]
    assert len(twilio.posts) == 1
    assert isinstance(sent, PartSent)
    assert sent.evidence is Evidence.CALLBACK


async def test_who_dies_before_the_post_leaves_a_part_that_another_sends_once(
    broker: Stack, twilio: TwilioStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(broker.nats_url, twilio, QUICK) as dying, working(broker.nats_url, twilio, QUICK) as heir:
        conversation = Conversation(heir.bus)
        with monkeypatch.context() as patch:
            patch.setattr("parley_egress.sending.TwilioApi.send", _never)
            await die_after_attempt(dying, conversation)
        assert twilio.posts == []
        await heir.drain(conversation)
        assert await conversation.kinds() == ["PartAttempted", "PartAttempted", "PartSent"]
    assert len(twilio.posts) == 1


async def test_p4_who_dies_before_the_record_leaves_a_part_that_its_callback_proves(
    broker: Stack, twilio: TwilioStub
) -> None:
    twilio.script.append(hang(creates=True))
    async with (
        working(broker.nats_url, twilio, send_settings(timeout_s=30.0)) as dying,
        working(broker.nats_url, twilio, PATIENT) as heir,
    ):
        conversation = Conversation(heir.bus)
        draining = asyncio.create_task(start(dying, conversation))
        await wait_until(lambda: twilio.created)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        await conversation.report(twilio.posts[0].part_id)
        await heir.drain(conversation)
        assert await conversation.kinds() == ["PartAttempted", "PartSent"]
    assert len(twilio.posts) == 1


async def test_an_heir_waits_while_the_post_of_another_may_be_under_way(broker: Stack, twilio: TwilioStub) -> None:
    """The owner before is frozen in its POST, not dead: it finishes, and the heir sees that."""
    release = asyncio.Event()
    twilio.script.append(after(lambda _post: release.wait(), create))
    slow = send_settings(settle_s=SETTLE_S, timeout_s=30.0)
    async with working(broker.nats_url, twilio, slow) as frozen, working(broker.nats_url, twilio, QUICK) as heir:
        conversation = Conversation(heir.bus)
        first = asyncio.create_task(start(frozen, conversation))
        await wait_until(lambda: twilio.posts)
        second = asyncio.create_task(heir.drain(conversation))
        await asyncio.sleep(SETTLE_S / 2)
        release.set()
        await asyncio.gather(first, second)
        assert await conversation.kinds() == ["PartAttempted", "PartSent"]
    assert len(twilio.posts) == 1


async def test_an_attempt_from_elsewhere_refuses_the_next_one(broker: Stack, twilio: TwilioStub) -> None:
    """The chain moved on while this worker waited for its slot: what it wanted to write has no place any more."""
    async with (
        working(broker.nats_url, twilio, rate_mps=1.0) as slow,
        working(broker.nats_url, twilio) as fast,
    ):
        conversation = Conversation(fast.bus)
        await conversation.reply("hello")
        late = asyncio.create_task(slow.drain(conversation))
        await asyncio.sleep(0.1)
        await fast.drain(conversation)
        assert await late == conversation.last_turn
        assert await conversation.kinds() == ["PartAttempted", "PartSent"]
    assert len(twilio.posts) == 1


async def test_a_stop_before_the_resend_prevents_it(broker: Stack, twilio: TwilioStub) -> None:
    twilio.script.append(cut_off(creates=False))
    async with working(broker.nats_url, twilio, QUICK) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("hello")
        draining = asyncio.create_task(worker.drain(conversation))
        await wait_until(lambda: twilio.posts)
        await conversation.consents(worker.consent, granted=False)
        await draining
        assert not await worker.consent.granted(NUMBER, PERSON)
        (failed,) = await conversation.failures()
    assert failed.failure is FailureClass.OPTED_OUT
    assert len(twilio.posts) == 1


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([refuse(429, 20429)], id="a part that is to be tried again"),
        pytest.param([cut_off(creates=False)], id="a part in doubt"),
        pytest.param([create, refuse(429, 20429)], id="the second part of three"),
    ],
)
async def test_a_turn_that_retention_took_stops_nothing(
    answers: list[Answer], broker: Stack, twilio: TwilioStub
) -> None:
    twilio.script.extend(answers)
    async with working(broker.nats_url, twilio, QUICK) as dying, working(broker.nats_url, twilio, QUICK) as heir:
        conversation = Conversation(heir.bus)
        draining = asyncio.create_task(start(dying, conversation, "word " * 800))
        await wait_until(lambda: len(twilio.posts) == len(answers))
        await asyncio.sleep(0.05)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        await conversation.erase_turn(conversation.last_turn)
        turn = await conversation.reply("next")
        assert await heir.drain(conversation) == turn
    assert [post.body for post in twilio.posts][len(answers) :] == ["next"]


async def test_a_turn_that_cannot_be_read_ends_as_a_dead_letter_and_stops_nothing(
    broker: Stack, twilio: TwilioStub
) -> None:
    async with working(broker.nats_url, twilio) as worker:
        conversation = Conversation(worker.bus)
        await worker.bus.js.publish(topology.turn_done(conversation.id), b'{"type":"TurnDone"}')
        await conversation.reply("next")
        async with asyncio.timeout(3):
            while not twilio.posts:
                await asyncio.gather(worker.drain(conversation), return_exceptions=True)
        assert await worker.bus.last(topology.dead_letter("egress")) is not None


async def start(worker: Worker, conversation: Conversation, text: str = "hello") -> None:
    """Replies and works on it."""
    await conversation.reply(text)
    await worker.drain(conversation)


async def die_after_attempt(worker: Worker, conversation: Conversation) -> None:
    """Works until the first attempt is written, and ends there."""
    draining = asyncio.create_task(start(worker, conversation))
    await wait_until(conversation.attempts)
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)


async def _never(*_args: object) -> None:
    await asyncio.Event().wait()
