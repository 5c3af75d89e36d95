"""Draining a conversation: by one worker at a time if leases hold, in order and once if they don't."""

import asyncio

import pytest

from harness.stack import Stack
from integration.agent.workers import (
    C,
    Circumstances,
    FakeBrain,
    Gate,
    NoLeases,
    assert_in_order_and_once,
    begun,
    done,
    drain,
    said,
    send,
    worker,
)
from integration.common.connections import connected
from parley_brains.brain import Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.doorbells import Busy
from parley_common.leases import Leases

pytestmark = pytest.mark.anyio

whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])


async def living(bus: Bus) -> Leases:
    leases = Leases(bus, topology.Limits())
    await leases.renew()
    return leases


async def test_a_conversation_without_texts_is_done_at_nothing(bus: Bus) -> None:
    assert await drain(worker(bus, FakeBrain())) == 0
    assert await done(bus) == []


async def test_a_conversation_that_is_dealt_with_is_left_alone(bus: Bus) -> None:
    (seq,) = await send(bus, "one")
    brain = FakeBrain()
    assert [await drain(worker(bus, brain)) for _ in range(3)] == [seq] * 3
    assert len(brain.asked) == 1


async def test_a_conversation_somebody_living_works_on_is_busy(bus: Bus) -> None:
    await send(bus, "one")
    gate = Gate()
    ours, theirs = await living(bus), await living(bus)
    first = asyncio.create_task(drain(worker(bus, FakeBrain(answering=gate), Circumstances(leases=ours))))
    await gate.reached.wait()
    with pytest.raises(Busy):
        await drain(worker(bus, FakeBrain(), Circumstances(leases=theirs)))
    gate.open.set()
    await first
    await drain(worker(bus, FakeBrain(), Circumstances(leases=theirs)))
    assert said(await done(bus)) == [["one"]]


async def test_a_conversation_is_given_back_when_its_brain_is_cancelled(bus: Bus) -> None:
    await send(bus, "one")
    gate = Gate()
    ours, theirs = await living(bus), await living(bus)
    first = asyncio.create_task(drain(worker(bus, FakeBrain(answering=gate), Circumstances(leases=ours))))
    await gate.reached.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await drain(worker(bus, FakeBrain(), Circumstances(leases=theirs)))
    assert said(await done(bus)) == [["one"]]


@whatever_the_brain
async def test_an_answer_that_comes_after_anothers_is_dropped(bus: Bus, *, acts: bool) -> None:
    await send(bus, "one")
    gate = Gate()
    slow, quick = FakeBrain(acts=acts, answering=gate), FakeBrain(acts=acts)
    zombie = asyncio.create_task(drain(worker(bus, slow)))
    await gate.reached.wait()
    await drain(worker(bus, quick))
    await send(bus, "two")
    gate.open.set()
    await zombie
    assert said(await done(bus)) == [["one"], ["two"]]
    assert slow.asked[0].key == quick.asked[0].key
    await assert_in_order_and_once(bus)


async def test_who_was_taken_over_leaves_the_turn_to_the_one_who_took_it_over(bus: Bus) -> None:
    await send(bus, "one")
    frozen, living_one = Leases(bus, topology.Limits()), await living(bus)
    first, second = Gate(), Gate()
    zombie = asyncio.create_task(
        drain(worker(bus, FakeBrain(acts=True, answering=first), Circumstances(leases=frozen)))
    )
    await first.reached.wait()
    heir = asyncio.create_task(
        drain(worker(bus, FakeBrain(acts=True, answering=second), Circumstances(leases=living_one)))
    )
    await second.reached.wait()
    await frozen.renew()  # the zombie is awake again
    first.open.set()
    (woken,) = await asyncio.gather(zombie, return_exceptions=True)
    second.open.set()
    await heir
    assert isinstance(woken, Busy)
    assert [turn.attempt for turn in await begun(bus)] == [1, 2]
    assert said(await done(bus)) == [["one"]]


@whatever_the_brain
async def test_an_answer_to_fewer_texts_than_anothers_is_dropped(bus: Bus, *, acts: bool) -> None:
    await send(bus, "one")
    gate = Gate()
    zombie = asyncio.create_task(drain(worker(bus, FakeBrain(acts=acts, answering=gate))))
    await gate.reached.wait()
    await send(bus, "two")
    await drain(worker(bus, FakeBrain(acts=acts)))
    gate.open.set()
    await zombie
    assert "\n".join(text for turn in said(await done(bus)) for text in turn) == "one\ntwo"
    await assert_in_order_and_once(bus)


async def test_a_text_that_comes_while_the_lease_is_given_back_is_answered(bus: Bus) -> None:
    late = ["two"]

    class LateText(NoLeases):
        async def release(self, _key: str) -> None:
            while late:
                await send(bus, late.pop())

    await send(bus, "one")
    await drain(worker(bus, FakeBrain(), Circumstances(leases=LateText())))
    assert said(await done(bus)) == [["one"], ["two"]]


async def test_a_text_that_was_rung_but_cannot_be_seen_yet_is_waited_for(bus: Bus) -> None:
    looked = 0

    def highest() -> int:
        nonlocal looked
        looked += 1
        return 1

    draining = asyncio.create_task(worker(bus, FakeBrain()).drain(C, highest))
    async with asyncio.timeout(5):
        while looked < 2:
            await asyncio.sleep(0)
        await send(bus, "one")
        assert await draining == 1
    assert said(await done(bus)) == [["one"]]


async def test_a_text_that_was_rung_but_is_never_seen_is_not_reported_done(bus: Bus) -> None:
    async with asyncio.timeout(10):
        assert await worker(bus, FakeBrain()).drain(C, lambda: 7) == 0


@whatever_the_brain
async def test_workers_that_race_without_leases_answer_each_text_once(
    bus: Bus, broker: Stack, *, acts: bool
) -> None:
    async def answer(turn: Turn) -> tuple[str, ...]:
        await asyncio.sleep(0.01)  # long enough for the others to come in between
        return (turn.text,)

    async with connected(broker) as second, connected(broker) as third:
        brains = [FakeBrain(acts=acts, answering=answer) for _ in range(3)]
        workers = [worker(one, brain) for one, brain in zip((bus, second, third), brains, strict=True)]
        for n in range(20):
            await send(bus, f"text {n}", f"text {n}, more")
            await asyncio.gather(*(drain(one) for one in workers))
    assert sum(len(brain.asked) for brain in brains) > len(await done(bus)), "nobody raced"
    await assert_in_order_and_once(bus)


async def test_other_conversations_do_not_wait(bus: Bus) -> None:
    gate = Gate()
    await send(bus, "one", conversation="slow")
    await send(bus, "one", conversation="quick")
    held = asyncio.create_task(drain(worker(bus, FakeBrain(answering=gate)), "slow"))
    await gate.reached.wait()
    await drain(worker(bus, FakeBrain()), "quick")
    assert said(await done(bus, "quick")) == [["one"]]
    gate.open.set()
    await held
