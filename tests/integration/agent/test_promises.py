"""What Parley promises of its agent, a test for each sentence. The other files of this folder have the details.

P3: order, and each text in one turn. P7: nothing is dropped silently. P13: late answers make sense. P14: abuse
costs little.
"""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.stack import Stack
from integration.agent.workers import (
    CHANNEL,
    Circumstances,
    FakeBrain,
    Gate,
    assert_in_order_and_once,
    dead_letters,
    die_answering,
    done,
    drain,
    said,
    send,
    worker,
)
from integration.common.connections import connected
from parley_agent.allowance import LOOP_CAPACITY
from parley_brains.brain import Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.declare import declare
from parley_common.events import Restored, TurnOutcome

pytestmark = pytest.mark.anyio

LAST_NIGHT = datetime.now(UTC) - timedelta(hours=8)


async def test_p3_texts_are_answered_in_order_each_in_one_turn_by_racing_and_dying_workers(
    bus: Bus, broker: Stack
) -> None:
    async with connected(broker) as second, connected(broker) as third:
        brains = [FakeBrain(acts=True) for _ in range(3)]
        workers = [worker(one, brain) for one, brain in zip((bus, second, third), brains, strict=True)]
        for n in range(6):
            await send(bus, f"{n}", f"{n} and more")
            if n % 3 == 0:
                await die_answering(bus)
            await asyncio.gather(*(drain(one) for one in workers))
    await assert_in_order_and_once(bus)
    answered = "\n".join(message for turn in said(await done(bus)) for message in turn).split("\n")
    assert answered == [body for n in range(6) for body in (f"{n}", f"{n} and more")]


async def test_p3_conversations_never_wait_for_one_another(bus: Bus) -> None:
    gate, conversations = Gate(), [f"c{n}" for n in range(20)]
    await send(bus, "one", conversation="slow")
    held = asyncio.create_task(drain(worker(bus, FakeBrain(answering=gate)), "slow"))
    await gate.reached.wait()
    for conversation in conversations:
        await send(bus, "one", conversation=conversation)
        await drain(worker(bus, FakeBrain()), conversation)
        assert said(await done(bus, conversation)) == [["one"]]
    assert await done(bus, "slow") == []
    gate.open.set()
    await held


async def test_p7_what_cannot_be_processed_is_a_dead_letter_with_its_reason(bus: Bus) -> None:
    async def answer(turn: Turn) -> tuple[str, ...]:
        if turn.text == "hard":
            raise ValueError("no idea")
        return (turn.text,)

    conversations = worker(bus, FakeBrain(answering=answer), Circumstances(gather_s=0.0))
    (hard,) = await send(bus, "hard")
    unreadable = (await bus.js.publish(topology.texts("c"), b"\xff")).seq
    (homeless,) = await send(bus, "hello", channel="gone")
    await send(bus, "easy")
    await drain(conversations)
    assert {letter.sequence: letter.reason for letter in await dead_letters(bus)} == {
        hard: "the brain failed: ValueError",
        unreadable: "not a readable text: DecodeError",
        homeless: "its channel does not exist",
    }
    assert said(await done(bus)) == [["Sorry."], [], [], ["easy"]]
    await assert_in_order_and_once(bus)


async def test_p13_after_a_night_each_conversation_gets_one_apology_and_no_answer(bus: Bus) -> None:
    brain, conversations = FakeBrain(), [f"c{n}" for n in range(20)]
    for conversation in conversations:
        await send(bus, *map(str, range(30)), conversation=conversation, at=LAST_NIGHT)
    one = worker(bus, brain)
    for conversation in conversations:
        await drain(one, conversation)
        await drain(one, conversation)
        assert said(await done(bus, conversation)) == [["Too late."]]
        await assert_in_order_and_once(bus, conversation)
    assert brain.asked == []


async def test_p13_a_restore_lets_nothing_be_answered_twice(bus: Bus) -> None:
    async def back_to_the_backup() -> None:
        """As if the backup had been taken right after the text came in, and before it was answered."""
        backup = await bus.next(topology.texts("c"), seq=1)
        assert backup is not None
        await bus.js.delete_stream(topology.CONVERSATIONS)
        await declare(bus.js, topology.Limits())
        await bus.js.publish(backup.subject, backup.data)

    brain = FakeBrain()
    await send(bus, "one")
    await drain(worker(bus, brain))
    taken_at = datetime.now(UTC)
    await back_to_the_backup()
    restored = Restored(
        id=secrets.token_hex(16), at=datetime.now(UTC), channel="", conversation="", taken_at=taken_at
    )
    await bus.publish(topology.RESTORED, restored)
    await send(bus, "two")
    await drain(worker(bus, brain))
    assert [turn.text for turn in brain.asked] == ["one", "two"]
    assert said(await done(bus)) == [[], ["two"]]


async def test_p14_two_agents_that_answer_each_other_come_to_an_end(bus: Bus) -> None:
    ours, theirs, spoken = FakeBrain(), FakeBrain(), 0
    talkers = {"ours": worker(bus, ours), "theirs": worker(bus, theirs)}
    text, to, other = "hello", "ours", "theirs"
    while text:
        await send(bus, text, conversation=to)
        await drain(talkers[to], to)
        messages = (await done(bus, to))[-1].messages
        spoken += len(messages)
        assert spoken < 4 * LOOP_CAPACITY, "they would talk for ever"
        text, to, other = messages[0].text if messages else "", other, to
    assert (await done(bus, other))[-1].outcome is TurnOutcome.LOOP
    assert spoken >= LOOP_CAPACITY


async def test_p14_a_contact_costs_no_more_than_the_days_answers(bus: Bus) -> None:
    brain = FakeBrain(acts=True)
    around = Circumstances(channel=replace(CHANNEL, daily_answers=3), gather_s=0.0)
    await send(bus, *map(str, range(12)))
    await drain(worker(bus, brain, around))
    assert len(brain.asked) == 3
    assert [messages for messages in said(await done(bus)) if messages] == [
        ["0"],
        ["1"],
        ["2"],
        ["Enough for today."],
    ]
    await assert_in_order_and_once(bus)
