"""Policy against a real broker: refusals in own words, HELP, an offline channel, who may start (P8, P14)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from nats.errors import TimeoutError as BrokerTimeout

from harness.stack import Stack
from integration.agent.workers import (
    CHANNEL,
    IDENTITY,
    WORDS,
    C,
    Circumstances,
    FakeBrain,
    Gate,
    assert_in_order_and_once,
    done,
    drain,
    said,
    send,
    worker,
)
from integration.common.connections import NUMBER, PERSON, history
from parley_agent.gathering import MOST_TEXTS
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus, Stored
from parley_common.consent import ConsentLedger
from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    Event,
    Keyword,
    OutboundMessage,
    Priority,
    Reply,
    TurnOutcome,
    Usage,
)

pytestmark = pytest.mark.anyio

OUTCOME = TurnOutcome
SERVICE, OTHER_NUMBER = "MG" + "0" * 32, "+15550001111"
CONSENT = topology.consent(IDENTITY.consent(NUMBER, PERSON))
CONFIRMED = "You will get no more texts from us. Text START if you want them again."
whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])


async def changes(bus: Bus) -> list[ConsentChanged]:
    events = [stored.event() for stored in await history(bus, CONSENT)]
    return [event for event in events if isinstance(event, ConsentChanged)]


async def granted(bus: Bus) -> bool:
    return await ConsentLedger(bus, IDENTITY).granted(NUMBER, PERSON)


async def outcomes(bus: Bus) -> list[TurnOutcome]:
    return [turn.outcome for turn in await done(bus)]


def a_start(at: datetime) -> ConsentChanged:
    return ConsentChanged(
        id="consent-start",
        at=at,
        channel="default",
        conversation=C,
        scope=NUMBER,
        contact=PERSON,
        granted=True,
        cause=ConsentCause.KEYWORD,
    )


async def test_p8_a_refusal_in_own_words_is_recorded_before_its_turn_ends_and_confirmed_once(bus: Bus) -> None:
    brain = FakeBrain()
    await send(bus, "please stop texting me", id="SM1")
    await drain(worker(bus, brain))
    (turn,), (change,) = await done(bus), await changes(bus)
    assert (turn.outcome, said([turn])) == (OUTCOME.REFUSED, [[CONFIRMED]])
    assert turn.confirms == change.id == "consent-SM1"
    assert (change.granted, change.cause) == (False, ConsentCause.OWN_WORDS)
    assert (change.scope, change.contact) == (NUMBER, PERSON)
    assert not await granted(bus)
    assert brain.asked == []


async def test_p8_the_scope_of_a_refusal_is_that_of_a_stop(bus: Bus) -> None:
    service = "MG" + "0" * 32
    await send(bus, "leave me alone")
    await drain(worker(bus, FakeBrain(), Circumstances(channel=replace(CHANNEL, messaging_service_sid=service))))
    stored = await bus.last(topology.consent(IDENTITY.consent(service, PERSON)))
    assert stored is not None
    assert (await done(bus))[0].sender == service


class DeathAfterTheLedger(Bus):
    """Loses the connection right before the first turn's end is written."""

    deaths = 1

    async def append(self, subject: str, event: Event, *, after: int, chain: str) -> int:
        """Appends, but for the first end of a turn."""
        if subject.endswith(".done") and self.deaths:
            self.deaths -= 1
            raise BrokerTimeout
        return await super().append(subject, event, after=after, chain=chain)


async def test_who_dies_between_the_ledger_and_the_end_leaves_one_change_and_one_confirmation(
    bus: Bus, broker: Stack
) -> None:
    dying = DeathAfterTheLedger(Broker(broker.nats_url), name="dying")
    await dying.connect()
    try:
        await send(bus, "take me off your list")
        with pytest.raises(BrokerTimeout):
            await drain(worker(dying, FakeBrain()))
    finally:
        await dying.close()
    assert not await granted(bus)
    assert await done(bus) == []
    await drain(worker(bus, FakeBrain()))
    (turn,), (change,) = await done(bus), await changes(bus)
    assert (said([turn]), turn.confirms) == ([[CONFIRMED]], change.id)


async def test_who_refuses_twice_is_told_once(bus: Bus) -> None:
    for body in ("stop texting me", "I SAID STOP TEXTING ME"):
        await send(bus, body)
        await drain(worker(bus, FakeBrain()))
    assert said(await done(bus)) == [[CONFIRMED], []]
    assert await outcomes(bus) == [OUTCOME.REFUSED] * 2
    assert [turn.confirms for turn in await done(bus)][1] == ""


async def test_who_came_back_since_is_not_told_that_they_are_gone(bus: Bus) -> None:
    now = datetime.now(UTC)
    await ConsentLedger(bus, IDENTITY).record(a_start(now))
    await send(bus, "stop texting me", at=now - timedelta(seconds=5))
    await drain(worker(bus, FakeBrain()))
    assert said(await done(bus)) == [[]]
    assert await granted(bus)


async def test_who_comes_back_with_start_is_answered_and_may_refuse_again(bus: Bus) -> None:
    brain = FakeBrain()
    conversations = worker(bus, brain)
    await send(bus, "stop texting me")
    await drain(conversations)
    await ConsentLedger(bus, IDENTITY).record(a_start(datetime.now(UTC)))
    await send(bus, "START", keyword=Keyword.START)
    await send(bus, "hello")
    await drain(conversations)
    await send(bus, "no, leave me alone")
    await drain(conversations)
    assert said(await done(bus)) == [[CONFIRMED], [], ["hello"], [CONFIRMED]]
    assert not await granted(bus)


async def test_who_is_not_answered_is_heard_all_the_same_when_they_refuse(bus: Bus) -> None:
    nobody = replace(CHANNEL, allow_all=False)
    await send(bus, "hello", "stop texting me")
    await drain(worker(bus, FakeBrain(), Circumstances(channel=nobody)))
    assert await outcomes(bus) == [OUTCOME.NOT_ALLOWED, OUTCOME.REFUSED]
    assert said(await done(bus)) == [[], []]
    assert not await granted(bus)


@whatever_the_brain
async def test_a_refusal_amid_a_burst_leaves_nothing_to_be_answered(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts)
    await send(bus, "what do you sell?", "never mind, leave me alone", "bye")
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [[CONFIRMED]]
    assert brain.asked == []
    await assert_in_order_and_once(bus)


@whatever_the_brain
@pytest.mark.parametrize("rung", [True, False], ids=["its bell rings here", "its bell rings elsewhere"])
async def test_a_refusal_while_the_brain_thinks_leaves_nothing_to_be_answered(
    bus: Bus, *, acts: bool, rung: bool
) -> None:
    gate = Gate()
    (first,) = await send(bus, "what do you sell?")
    brain = FakeBrain(acts=acts, answering=gate)
    highest = [first]
    draining = asyncio.create_task(drain(worker(bus, brain), highest=lambda: highest[0]))
    await gate.reached.wait()
    (refusal,) = await send(bus, "leave me alone")
    if rung:
        highest[0] = refusal
    else:
        gate.open.set()
    await draining
    assert said(await done(bus)) == [[CONFIRMED]]
    assert [turn.outcome for turn in await done(bus)] == [OUTCOME.REFUSED]
    await assert_in_order_and_once(bus)


@pytest.mark.parametrize("rung", [True, False], ids=["its bell rings here", "its bell rings elsewhere"])
async def test_a_refusal_behind_another_kind_of_text_ends_the_thinking(bus: Bus, *, rung: bool) -> None:
    gate, highest = Gate(), await send(bus, "what do you sell?")
    brain = FakeBrain(acts=True, answering=gate)
    draining = asyncio.create_task(drain(worker(bus, brain), highest=lambda: highest[-1]))
    await gate.reached.wait()
    await send(bus, "HELP", keyword=Keyword.HELP)
    refusal = await send(bus, "stop texting me")
    if rung:
        highest += refusal
    else:
        gate.open.set()
    await draining
    assert await outcomes(bus) == [OUTCOME.OPTED_OUT, OUTCOME.KEYWORD, OUTCOME.REFUSED]
    assert said(await done(bus)) == [[], [], [CONFIRMED]]
    await assert_in_order_and_once(bus)


async def test_a_refusal_behind_the_longest_burst_is_heard_before_the_brain_is_asked(bus: Bus) -> None:
    brain = FakeBrain(acts=True)
    await send(bus, *map(str, range(MOST_TEXTS)), "stop texting me")
    await drain(worker(bus, brain))
    assert await outcomes(bus) == [OUTCOME.OPTED_OUT, OUTCOME.REFUSED]
    assert brain.asked == []
    await assert_in_order_and_once(bus)


@pytest.mark.parametrize("scope", [NUMBER, OTHER_NUMBER], ids=["this number", "another of the pool"])
async def test_no_brain_is_asked_for_whom_it_may_not_answer(bus: Bus, scope: str) -> None:
    brain = FakeBrain(acts=True)
    pool = replace(CHANNEL, messaging_service_sid=SERVICE, numbers=(NUMBER, OTHER_NUMBER))
    stop = msgspec.structs.replace(a_start(datetime.now(UTC)), id="stop", granted=False, scope=scope)
    await ConsentLedger(bus, IDENTITY).record(stop)
    await send(bus, "what do you sell?")
    await drain(worker(bus, brain, Circumstances(channel=pool)))
    assert (await outcomes(bus), said(await done(bus)), brain.asked) == ([OUTCOME.OPTED_OUT], [[]], [])
    start = msgspec.structs.replace(a_start(datetime.now(UTC)), scope=scope)
    await ConsentLedger(bus, IDENTITY).record(start)
    await send(bus, "and now?")
    await drain(worker(bus, brain, Circumstances(channel=pool)))
    assert said(await done(bus)) == [[], ["and now?"]]


class DeafToConsent(Bus):
    """Cannot read what people said of consent."""

    async def last(self, subject: str) -> Stored | None:
        """Reads anything else."""
        if subject == CONSENT:
            raise BrokerTimeout
        return await super().last(subject)


async def test_whose_consent_cannot_be_read_is_answered_later(bus: Bus, broker: Stack) -> None:
    brain, deaf = FakeBrain(acts=True), DeafToConsent(Broker(broker.nats_url), name="deaf")
    await deaf.connect()
    try:
        await send(bus, "hello")
        with pytest.raises(BrokerTimeout):
            await drain(worker(deaf, brain))
    finally:
        await deaf.close()
    assert (await done(bus), brain.asked) == ([], [])
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [["hello"]]


async def test_who_said_stop_to_another_number_of_the_pool_gets_no_confirmation_either(bus: Bus) -> None:
    pool = replace(CHANNEL, messaging_service_sid=SERVICE, numbers=(NUMBER, OTHER_NUMBER))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    stop = msgspec.structs.replace(a_start(yesterday), id="stop", granted=False, scope=OTHER_NUMBER)
    ledger = ConsentLedger(bus, IDENTITY)
    await ledger.record(stop)
    await send(bus, "stop texting me")
    await drain(worker(bus, FakeBrain(), Circumstances(channel=pool)))
    assert (await outcomes(bus), said(await done(bus))) == ([OUTCOME.REFUSED], [[]])
    stored = await bus.last(topology.consent(IDENTITY.consent(SERVICE, PERSON)))
    assert stored is not None
    words = stored.event()
    assert isinstance(words, ConsentChanged)
    assert not words.granted
    assert not await ledger.granted(SERVICE, PERSON, also=(OTHER_NUMBER,), confirming=words.id)
    assert await ledger.granted(SERVICE, PERSON, confirming=words.id)


async def test_old_refusals_are_heard_and_not_confirmed(bus: Bus) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await send(bus, "one", "stop texting me", "two", at=yesterday)
    await drain(worker(bus, FakeBrain()))
    assert await outcomes(bus) == [OUTCOME.LATE, OUTCOME.REFUSED, OUTCOME.LATE]
    assert not await granted(bus)


async def test_help_is_answered_where_the_channel_has_a_text_for_it(bus: Bus) -> None:
    channel = replace(CHANNEL, help_text="Call us.")
    await send(bus, "HELP", keyword=Keyword.HELP)
    await send(bus, "HELP", keyword=Keyword.HELP, answered_by_twilio=True)
    await drain(worker(bus, FakeBrain(), Circumstances(channel=channel)))
    assert said(await done(bus)) == [["Call us."], []]
    assert await outcomes(bus) == [OUTCOME.KEYWORD] * 2


async def test_an_offline_channel_says_so_once_a_day(bus: Bus) -> None:
    brain = FakeBrain()
    around = Circumstances(channel=replace(CHANNEL, offline=True, offline_text="Closed."), gather_s=0.0)
    await send(bus, "one", "two")
    await drain(worker(bus, brain, around))
    await send(bus, "three")
    await drain(worker(bus, brain, around))
    assert said(await done(bus)) == [["Closed."], [], []]
    assert await outcomes(bus) == [OUTCOME.OFFLINE] * 3
    assert brain.asked == []


@pytest.mark.parametrize("priority", [Priority.OPERATOR, Priority.NOTIFICATION])
async def test_only_whom_we_texted_is_answered_where_people_may_not_start(bus: Bus, priority: Priority) -> None:
    brain = FakeBrain()
    around = Circumstances(channel=replace(CHANNEL, people_may_start=False))
    await send(bus, "hello?")
    await drain(worker(bus, brain, around))
    note = OutboundMessage(
        id="note",
        at=datetime.now(UTC),
        channel="default",
        conversation=C,
        sender=NUMBER,
        contact=PERSON,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        messages=(Reply(id="note-0", text="Your parcel is here."),),
        priority=priority,
    )
    await bus.publish(topology.outbound(C, priority), note)
    await send(bus, "which parcel?")
    await drain(worker(bus, brain, around))
    assert await outcomes(bus) == [OUTCOME.NOT_STARTED, OUTCOME.ANSWERED]
    assert [turn.text for turn in brain.asked] == ["which parcel?"]


async def test_whom_the_brain_has_answered_before_is_answered_where_people_may_no_longer_start(bus: Bus) -> None:
    brain = FakeBrain()
    await send(bus, "one")
    await drain(worker(bus, brain))
    await send(bus, "two")
    await drain(worker(bus, brain, Circumstances(channel=replace(CHANNEL, people_may_start=False))))
    assert await outcomes(bus) == [OUTCOME.ANSWERED] * 2


async def test_who_has_used_up_the_days_tokens_is_told_once(bus: Bus) -> None:
    usage = Usage(model="m", input_tokens=60, output_tokens=5)
    brain = FakeBrain(acts=True, words=msgspec.structs.replace(WORDS, daily_tokens=130), usage=usage)
    for body in ("one", "two", "three", "four"):
        await send(bus, body)
        await drain(worker(bus, brain))
    assert said(await done(bus)) == [["one"], ["two"], ["Enough for today."], []]
    assert (await done(bus))[-1].tally.tokens == 130
    assert len(brain.asked) == 2
