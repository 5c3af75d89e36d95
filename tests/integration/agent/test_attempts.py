"""Turns that are tried more than once: the same texts under the same name, and not for ever."""

import pytest

from integration.agent.workers import (
    C,
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    begun,
    dead_letters,
    die_answering,
    done,
    drain,
    said,
    send,
    worker,
)
from parley_agent.asking import MOST_ATTEMPTS
from parley_common import topology
from parley_common.bus import Bus
from parley_common.doorbells import Busy
from parley_common.events import TurnOutcome

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("deaths", range(1, MOST_ATTEMPTS))
async def test_a_turn_whose_worker_died_is_tried_again_over_the_same_texts(bus: Bus, deaths: int) -> None:
    await send(bus, "one", "two")
    keys = set()
    for _ in range(deaths):
        keys.add((await die_answering(bus)).key)
        await send(bus, "later")
    brain = FakeBrain(acts=True)
    await drain(worker(bus, brain))
    assert [turn.text for turn in brain.asked] == ["one\ntwo", "\n".join(["later"] * deaths)]
    assert {brain.asked[0].key} == keys
    assert brain.asked[0].is_first
    assert [(turn.first, turn.last) for turn in await begun(bus)][: deaths + 1] == [(1, 2)] * (deaths + 1)
    assert [turn.attempt for turn in await begun(bus)] == [*range(1, deaths + 2), 1]
    await assert_in_order_and_once(bus)


async def test_a_text_that_kills_its_workers_is_given_up_and_the_conversation_goes_on(bus: Bus) -> None:
    (deadly,) = await send(bus, "deadly")
    for _ in range(MOST_ATTEMPTS):
        await die_answering(bus)
    await send(bus, "harmless")
    brain = FakeBrain(acts=True)
    await drain(worker(bus, brain))
    turns = await done(bus)
    assert [turn.text for turn in brain.asked] == ["harmless"]
    assert said(turns) == [["Sorry."], ["harmless"]]
    assert turns[0].outcome is TurnOutcome.FAILED
    (letter,) = await dead_letters(bus)
    assert letter.sequence == deadly
    await assert_in_order_and_once(bus)


async def test_turns_have_names_of_their_own(bus: Bus) -> None:
    brain = FakeBrain(acts=True)
    for conversation in ("c", "d"):
        await send(bus, "one", conversation=conversation)
        await drain(worker(bus, brain), conversation)
        await send(bus, "two", conversation=conversation)
        await drain(worker(bus, brain), conversation)
    assert len({turn.key for turn in brain.asked}) == 4


async def test_a_worker_in_doubt_asks_no_brain_that_costs(bus: Bus) -> None:
    brain = FakeBrain(acts=True)
    await send(bus, "one")
    with pytest.raises(Busy):
        await drain(worker(bus, brain, Circumstances(in_doubt=lambda: True)))
    assert brain.asked == []
    assert await done(bus) == []


async def test_workers_in_doubt_use_up_no_attempts(bus: Bus) -> None:
    brain = FakeBrain(acts=True)
    await send(bus, "one")
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Busy):
            await drain(worker(bus, brain, Circumstances(in_doubt=lambda: True)))
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [["one"]]


async def test_a_begun_turn_whose_texts_were_erased_does_not_stop_the_conversation(bus: Bus) -> None:
    await send(bus, "one")
    await die_answering(bus)
    await bus.js.purge_stream(topology.CONVERSATIONS, subject=topology.texts(C))
    await send(bus, "two")
    await drain(worker(bus, FakeBrain(acts=True)))
    assert said(await done(bus))[-1] == ["two"]
