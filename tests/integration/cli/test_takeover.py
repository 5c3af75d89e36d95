"""``parley take`` and ``hand-back`` against a real broker, as the agent reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from harness.stack import Stack
from integration.cli.command import Ended, parley
from integration.common.connections import PERSON, a_text
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import (
    ConversationReleased,
    ConversationTaken,
    OutboundMessage,
    Priority,
    Reply,
    Taken,
    Tally,
    TurnDone,
    TurnOutcome,
)
from parley_common.identity import Identity
from parley_common.takeover import take

pytestmark = pytest.mark.anyio

KEY = "k" * 40
CONVERSATION = Identity(KEY.encode()).conversation("default", PERSON)


async def ran(broker: Stack, *arguments: str, key: str = KEY) -> Ended:
    return await parley(broker, *arguments, settings={"PARLEY_HASH_KEY": key})


async def done(broker: Stack, *arguments: str) -> str:
    ended = await ran(broker, *arguments)
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out


async def texted(bus: Bus) -> int:
    """The person has texted and was answered; the sequence of their text."""
    seq = await bus.publish(topology.texts(CONVERSATION), a_text(CONVERSATION), dedupe=True)
    now = datetime.now(UTC)
    turn = TurnDone(
        id="turn",
        at=now,
        channel="default",
        conversation=CONVERSATION,
        upto=seq,
        first=seq,
        outcome=TurnOutcome.ANSWERED,
        sender="+15550100100",
        contact=PERSON,
        expires_at=now,
        tally=Tally(answers=3, memory={"slot": "1"}),
    )
    await bus.append(topology.turn_done(CONVERSATION), turn, after=0, chain=topology.own(CONVERSATION))
    return seq


async def last(bus: Bus) -> object:
    stored = await bus.last(topology.own(CONVERSATION))
    assert stored is not None
    return stored.event()


async def test_a_conversation_is_taken_and_handed_back(broker: Stack, bus: Bus) -> None:
    upto = await texted(bus)
    before = datetime.now(UTC)
    said = await done(broker, "take", PERSON, "--by", "the desk", "--hours", "2")
    taken = await last(bus)
    assert isinstance(taken, ConversationTaken)
    assert taken.tally.taken is not None
    assert (taken.upto, taken.tally.answers, taken.tally.memory) == (upto, 3, {"slot": "1"})
    assert taken.tally.taken.by == "the desk"
    assert before + timedelta(hours=2) <= taken.tally.taken.until <= datetime.now(UTC) + timedelta(hours=2)
    until = taken.tally.taken.until.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert said == (
        f"the desk answers +1555•••0200 until {until}, the agent stays silent. "
        "parley hand-back gives the conversation back to it.\n"
    )
    assert (await done(broker, "hand-back", "+1 (555) 010-0200")).startswith(
        "The agent answers +1555•••0200 again (the desk had taken it on "
    )
    released = await last(bus)
    assert isinstance(released, ConversationReleased)
    assert (released.upto, released.tally.taken, released.tally.memory) == (upto, None, {"slot": "1"})


async def test_without_a_name_it_is_whoever_runs_the_command_for_a_day(broker: Stack, bus: Bus) -> None:
    await texted(bus)
    await parley(broker, "take", PERSON, settings={"PARLEY_HASH_KEY": KEY, "LOGNAME": "grace"})
    taken = await last(bus)
    assert isinstance(taken, ConversationTaken)
    assert taken.tally.taken is not None
    assert taken.tally.taken.by == "grace"
    assert taken.tally.taken.until - taken.tally.taken.at == timedelta(hours=24)


async def test_who_takes_what_another_has_is_told_so(broker: Stack, bus: Bus) -> None:
    await texted(bus)
    await done(broker, "take", PERSON, "--by", "the desk")
    assert "It was taken by the desk until " in await done(broker, "take", PERSON, "--by", "the night desk")
    assert "It was taken by" not in await done(broker, "take", PERSON, "--by", "the night desk")


async def test_handing_back_what_nobody_has_changes_nothing(broker: Stack, bus: Bus) -> None:
    await texted(bus)
    said = await done(broker, "hand-back", PERSON)
    assert said == "Nobody has taken +1555•••0200: the agent answers there already.\n"
    assert isinstance(await last(bus), TurnDone)


async def test_a_conversation_whose_takeover_ran_out_is_the_agents(broker: Stack, bus: Bus) -> None:
    await texted(bus)
    await take(bus, "default", CONVERSATION, by="the desk", within=timedelta(seconds=-1))
    assert "Nobody has taken" in await done(broker, "hand-back", PERSON)


async def test_who_asked_for_a_person_and_waits_is_handed_back_as_such(broker: Stack, bus: Bus) -> None:
    await texted(bus)
    await take(bus, "default", CONVERSATION, by="", within=timedelta(hours=1))
    assert "(they had asked for a person on " in await done(broker, "hand-back", PERSON)


async def test_somebody_who_waits_for_a_person_gets_one(broker: Stack, bus: Bus) -> None:
    await texted(bus)
    await take(bus, "default", CONVERSATION, by="", within=timedelta(hours=1))
    assert "They had asked for a person on " in await done(broker, "take", PERSON, "--by", "the desk")
    taken = await last(bus)
    assert isinstance(taken, ConversationTaken)
    assert isinstance(taken.tally.taken, Taken)
    assert taken.tally.taken.by == "the desk"


@pytest.mark.parametrize("priority", [Priority.OPERATOR, Priority.NOTIFICATION])
async def test_who_was_only_texted_by_us_can_be_taken(broker: Stack, bus: Bus, priority: Priority) -> None:
    now = datetime.now(UTC)
    message = OutboundMessage(
        id="message",
        at=now,
        channel="default",
        conversation=CONVERSATION,
        sender="+15550100100",
        contact=PERSON,
        expires_at=now + timedelta(hours=1),
        messages=(Reply(id="reply", text="Your parcel is here."),),
        priority=priority,
    )
    await bus.publish(topology.outbound(CONVERSATION, priority), message)
    assert "the desk answers" in await done(broker, "take", PERSON, "--by", "the desk")


@pytest.mark.parametrize("command", ["take", "hand-back"])
async def test_what_would_take_nothing_is_refused(broker: Stack, bus: Bus, command: str) -> None:
    await texted(bus)
    refused = {
        ("+15550100299",): "+1555•••0299 has no conversation on channel default: is the number right, and",
        (f"whatsapp:{PERSON}",): "whatsapp:+1555•••0200 has no conversation on channel default",
        ("5550100200",): "CONTACT: the phone number has no + before its 10 digits; write it with +",
        (PERSON, "--channel", "other"): "there is no channel 'other'",
    }
    for arguments, words in refused.items():
        ended = await ran(broker, command, *arguments)
        assert (ended.code, ended.out) == (1, ""), ended
        assert ended.err.startswith(f"parley: {words}"), ended
        assert "15550100200" not in ended.err
    ended = await ran(broker, command, PERSON, key="x" * 40)
    assert "is PARLEY_HASH_KEY the one of the services?" in ended.err
    assert isinstance(await last(bus), TurnDone)


async def test_without_the_key_nobody_is_found(broker: Stack) -> None:
    ended = await parley(broker, "take", PERSON)
    assert (ended.code, ended.err) == (1, "parley: PARLEY_HASH_KEY is not set: set it in the environment\n")
