"""The confirmation of a refusal is sent in spite of that refusal, and of nothing else that was ever said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.stack import Stack
from integration.egress.twilio_stub import TwilioStub, after, create, refuse
from integration.egress.workbench import (
    IDENTITY,
    NUMBER,
    PERSON,
    THE_CLIENTS_WARNINGS,
    Conversation,
    Worker,
    working,
)
from parley_common import topology
from parley_common.events import ConsentCause, ConsentChanged, FailureClass, PartFailed

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

SERVICE = "MG" + "0" * 32
OWN_WORDS = ConsentCause.OWN_WORDS


async def refuses(worker: Worker, conversation: Conversation, scope: str = NUMBER) -> str:
    """The person says in their own words that they want no more texts."""
    return await conversation.consents(worker.consent, granted=False, cause=OWN_WORDS, scope=scope)


async def outcome(conversation: Conversation) -> FailureClass | None:
    """Why the last part was not sent, None where it was."""
    last = (await conversation.chain())[-1]
    return last.failure if isinstance(last, PartFailed) else None


async def test_the_confirmation_goes_out_and_nothing_after_it(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    refusal = await refuses(worker, conversation)
    await conversation.reply("You won't hear from us again.", confirms=refusal)
    await conversation.reply("One more thing!")
    await worker.drain(conversation)
    assert [post.body for post in twilio.posts] == ["You won't hear from us again."]
    assert await outcome(conversation) is FailureClass.OPTED_OUT
    assert not await worker.consent.granted(NUMBER, PERSON)


async def test_all_parts_of_the_confirmation_go_out(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    refusal = await refuses(worker, conversation)
    await conversation.reply("word " * 400, "bye", confirms=refusal)
    await worker.drain(conversation)
    assert [post.body.split(" ")[0] for post in twilio.posts] == ["(1/2)", "(2/2)", "bye"]


@pytest.mark.parametrize("confirms", ["", "another-change"])
async def test_what_confirms_no_or_another_change_is_not_sent(
    confirms: str, worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    await refuses(worker, conversation)
    await conversation.reply("hello", confirms=confirms)
    await worker.drain(conversation)
    assert twilio.posts == []
    assert await outcome(conversation) is FailureClass.OPTED_OUT


@pytest.mark.parametrize("cause", [ConsentCause.KEYWORD, ConsentCause.TWILIO_21610, ConsentCause.OPT_OUT_TYPE])
async def test_a_stop_that_twilio_knows_is_not_confirmed(
    cause: ConsentCause, worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    """Twilio answers its keywords itself, and refuses what comes after them."""
    stop = await conversation.consents(worker.consent, granted=False, cause=cause)
    await conversation.reply("hello", confirms=stop)
    await worker.drain(conversation)
    assert twilio.posts == []


@pytest.mark.parametrize("cause", list(ConsentCause))
async def test_a_refusal_that_came_after_it_counts(
    cause: ConsentCause, worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    refusal = await refuses(worker, conversation)
    await conversation.consents(worker.consent, granted=False, cause=cause)
    await conversation.reply("hello", confirms=refusal)
    await worker.drain(conversation)
    assert twilio.posts == []
    assert await outcome(conversation) is FailureClass.OPTED_OUT


async def test_a_stop_between_two_parts_of_the_confirmation_stops_the_second(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    refusal = await refuses(worker, conversation)
    twilio.script.append(after(lambda _post: conversation.consents(worker.consent, granted=False), create))
    await conversation.reply("word " * 400, confirms=refusal)
    await worker.drain(conversation)
    assert len(twilio.posts) == 1
    assert await outcome(conversation) is FailureClass.OPTED_OUT


async def test_who_came_back_since_is_texted_as_ever(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    refusal = await refuses(worker, conversation)
    await conversation.consents(worker.consent, granted=True)
    await conversation.reply("bye", confirms=refusal)
    await conversation.reply("welcome back")
    await worker.drain(conversation)
    assert [post.body for post in twilio.posts] == ["bye", "welcome back"]


async def test_a_21610_to_the_confirmation_is_final_and_remembered(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    refusal = await refuses(worker, conversation)
    twilio.script.append(refuse(400, 21610))
    turn = await conversation.reply("bye", "and one more", confirms=refusal)
    assert await worker.drain(conversation) == turn
    assert [post.body for post in twilio.posts] == ["bye"]
    failures = await conversation.failures()
    assert [(one.failure, one.final, one.code) for one in failures] == [
        (FailureClass.OPTED_OUT, True, 21610),
        (FailureClass.OPTED_OUT, True, None),
    ]
    assert not await worker.consent.granted(NUMBER, PERSON, confirming=refusal)
    await conversation.consents(worker.consent, granted=True)
    assert await worker.consent.granted(NUMBER, PERSON), "a START lifts both"


@pytest.fixture
async def pool(broker: Stack, twilio: TwilioStub) -> object:
    async with working(broker.nats_url, twilio, service=SERVICE) as one:
        yield one


async def test_in_a_pool_the_confirmation_goes_out_if_the_service_was_refused_last(
    pool: Worker, twilio: TwilioStub
) -> None:
    conversation = Conversation(pool.bus)
    await conversation.consents(pool.consent, granted=False, scope=NUMBER)
    await conversation.consents(pool.consent, granted=True, scope=NUMBER)
    refusal = await refuses(pool, conversation, SERVICE)
    await conversation.reply("bye", confirms=refusal, sender=SERVICE)
    await pool.drain(conversation)
    assert [post.form["MessagingServiceSid"] for post in twilio.posts] == [SERVICE]


async def test_in_a_pool_a_later_stop_to_one_of_its_numbers_blocks_it(pool: Worker, twilio: TwilioStub) -> None:
    conversation = Conversation(pool.bus)
    refusal = await refuses(pool, conversation, SERVICE)
    await conversation.consents(pool.consent, granted=False, scope=NUMBER)
    await conversation.reply("bye", confirms=refusal, sender=SERVICE)
    await pool.drain(conversation)
    assert twilio.posts == []


async def test_of_two_refusals_at_the_same_time_only_one_can_be_confirmed(worker: Worker) -> None:
    """The same moment under two scopes: which of them was the last word, nobody can tell."""
    at = datetime.now(UTC)
    for change, scope in (("a", NUMBER), ("b", SERVICE)):
        await worker.consent.record(
            ConsentChanged(
                id=change,
                at=at,
                channel="default",
                conversation="c",
                scope=scope,
                contact=PERSON,
                granted=False,
                cause=OWN_WORDS,
            )
        )
    assert await worker.consent.granted(NUMBER, PERSON, confirming="a")
    assert not await worker.consent.granted(NUMBER, PERSON, also=(SERVICE,), confirming="a")
    assert not await worker.consent.granted(NUMBER, PERSON, also=(SERVICE,), confirming="b")


async def test_consent_that_cannot_be_read_confirms_nothing(
    worker: Worker, twilio: TwilioStub, conversation: Conversation
) -> None:
    subject = topology.consent(IDENTITY.consent(NUMBER, PERSON))
    await worker.bus.js.publish(subject, b"{not an event")
    await conversation.reply("bye", confirms="x")
    await worker.drain(conversation)
    assert twilio.posts == []
