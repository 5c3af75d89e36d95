"""People answer in place of the brain: by event, by their own word, by the brain's; and hand back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.agent.test_letters import die_burying, fails
from integration.agent.workers import (
    WORDS,
    C,
    FakeBrain,
    Gate,
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
from integration.common.connections import connected, history
from parley_brains.agent_file import Handoff
from parley_brains.brain import Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import ConversationTaken, Taken, TurnOutcome
from parley_common.tail import fold
from parley_common.takeover import release, take

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
OUTCOME = TurnOutcome
HANDOFF = msgspec.structs.replace(
    WORDS, handoff=Handoff(words=("AGENT",), reply="A person comes.", back_reply="I am back.")
)
whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])


async def outcomes(bus: Bus) -> list[TurnOutcome]:
    return [turn.outcome for turn in await done(bus)]


async def takes(bus: Bus, by: str = "alice", within: timedelta = HOUR) -> ConversationTaken:
    return await take(bus, "default", C, by=by, within=within)


async def taken(bus: Bus) -> Taken | None:
    stored = await bus.last(topology.own(C))
    return None if stored is None else fold(stored.event(), stored.seq).tally.taken


async def silent(_turn: Turn) -> tuple[str, ...]:
    return ()


async def test_a_conversation_without_events_can_be_taken_and_handed_back(bus: Bus) -> None:
    await takes(bus)
    await send(bus, "one")
    await drain(worker(bus, FakeBrain()))
    await release(bus, "default", C)
    await send(bus, "two")
    await drain(worker(bus, FakeBrain()))
    assert await outcomes(bus) == [OUTCOME.TAKEN, OUTCOME.ANSWERED]
    assert said(await done(bus)) == [[], ["two"]]


async def test_texts_of_a_conversation_that_is_taken_wait_for_the_person_in_one_turn(bus: Bus) -> None:
    brain = FakeBrain()
    conversations = worker(bus, brain)
    await send(bus, "one")
    await drain(conversations)
    await takes(bus)
    await send(bus, *(f"text {n}" for n in range(30)))
    await drain(conversations)
    assert await outcomes(bus) == [OUTCOME.ANSWERED, OUTCOME.TAKEN]
    assert len(brain.asked) == 1
    assert await dead_letters(bus) == []


@whatever_the_brain
async def test_an_answer_that_the_brain_was_working_on_is_refused_and_its_texts_wait(
    bus: Bus, *, acts: bool
) -> None:
    gate = Gate()
    await send(bus, "one", "two")
    draining = asyncio.create_task(drain(worker(bus, FakeBrain(acts=acts, answering=gate))))
    await gate.reached.wait()
    await takes(bus)
    gate.open.set()
    await draining
    assert said(await done(bus)) == [[]]
    assert await outcomes(bus) == [OUTCOME.TAKEN]
    assert await taken(bus) is not None
    await assert_dealt_with_once(bus)


@whatever_the_brain
async def test_taken_and_handed_back_while_the_brain_thinks_has_it_asked_again(bus: Bus, *, acts: bool) -> None:
    gate = Gate()
    await send(bus, "one")
    brain = FakeBrain(acts=acts, answering=gate)
    draining = asyncio.create_task(drain(worker(bus, brain)))
    await gate.reached.wait()
    await takes(bus)
    await release(bus, "default", C)
    gate.open.set()
    await draining
    assert said(await done(bus)) == [["one"]]
    assert len({turn.key for turn in brain.asked}) == 1
    assert len(brain.asked) == 2


async def test_texts_that_wait_while_it_is_handed_back_are_answered(bus: Bus) -> None:
    await takes(bus)
    await send(bus, "one")
    await release(bus, "default", C)
    await drain(worker(bus, FakeBrain()))
    assert said(await done(bus)) == [["one"]]


async def test_whoever_takes_it_last_has_it_and_both_stand_in_the_chain(bus: Bus, broker: Stack) -> None:
    await send(bus, "one")
    async with connected(broker) as other:
        await asyncio.gather(*(takes(one, by) for one, by in ((bus, "alice"), (other, "bob")) for _ in range(5)))
    await drain(worker(bus, FakeBrain()))
    events = [stored.event() for stored in await history(bus, topology.takeover(C))]
    assert sorted(event.tally.taken.by for event in events if event.tally.taken) == ["alice"] * 5 + ["bob"] * 5  # type: ignore[union-attr]
    held = await taken(bus)
    assert held == events[-1].tally.taken  # type: ignore[union-attr]
    await release(bus, "default", C)
    assert await taken(bus) is None


@whatever_the_brain
async def test_takers_that_race_with_a_brain_lose_nothing_of_what_it_wrote(
    bus: Bus, broker: Stack, *, acts: bool
) -> None:
    async def hand_around(other: Bus) -> None:
        await take(other, "default", C, by="bob", within=HOUR)
        await release(other, "default", C)

    async with connected(broker) as other:
        for n in range(15):
            await send(bus, f"text {n}")
            await asyncio.gather(drain(worker(bus, FakeBrain(acts=acts))), hand_around(other))
    await assert_dealt_with_once(bus)
    chain = [stored.event() for stored in await history(bus, topology.own(C))]
    assert [event.upto for event in chain] == sorted(event.upto for event in chain)  # type: ignore[union-attr]
    answered = [turn for turn in await done(bus) if turn.outcome is OUTCOME.ANSWERED]
    assert (await done(bus))[-1].tally.answers == len(answered)


@whatever_the_brain
async def test_a_worker_that_dies_and_one_that_starts_anew_change_nothing_about_it(
    bus: Bus, *, acts: bool
) -> None:
    await send(bus, "one")
    if acts:
        await die_answering(bus)
    await takes(bus)
    await drain(worker(bus, FakeBrain(acts=acts)))
    await send(bus, "two")
    await drain(worker(bus, FakeBrain(acts=acts)))
    await release(bus, "default", C)
    await send(bus, "three")
    await drain(worker(bus, FakeBrain(acts=acts)))
    assert await outcomes(bus) == [OUTCOME.TAKEN, OUTCOME.TAKEN, OUTCOME.ANSWERED]
    assert [turn.attempt for turn in await begun(bus)] == ([1, 1] if acts else [])


async def test_who_never_hands_back_holds_it_no_longer_once_their_time_is_over(bus: Bus) -> None:
    brain = FakeBrain()
    event = await takes(bus, within=timedelta(seconds=1))
    await send(bus, "one")
    await drain(worker(bus, brain))
    assert event.tally.taken is not None
    until = event.tally.taken.until
    await wait_until(lambda: datetime.now(UTC) > until, what="the end of the takeover")
    await send(bus, "two")
    await drain(worker(bus, brain))
    assert await outcomes(bus) == [OUTCOME.TAKEN, OUTCOME.ANSWERED]
    assert await taken(bus) is None


@whatever_the_brain
async def test_who_asks_for_a_person_is_told_so_and_waits_for_one(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts, words=HANDOFF)
    for body in ("hello", "Agent!", "is anybody there?", "bot", "thanks"):
        await send(bus, body)
        await drain(worker(bus, brain))
    assert await outcomes(bus) == [
        OUTCOME.ANSWERED,
        OUTCOME.HANDED_OVER,
        OUTCOME.TAKEN,
        OUTCOME.HANDED_BACK,
        OUTCOME.ANSWERED,
    ]
    assert said(await done(bus)) == [["hello"], ["A person comes."], [], ["I am back."], ["thanks"]]
    assert [turn.text for turn in brain.asked] == ["hello", "thanks"]
    await assert_in_order_and_once(bus)


async def test_what_was_said_before_asking_for_a_person_is_left_to_the_person(bus: Bus) -> None:
    brain = FakeBrain(words=HANDOFF)
    await send(bus, "my order is broken", "agent", "it was expensive")
    await drain(worker(bus, brain))
    (turn,) = await done(bus)
    assert (turn.outcome, said([turn])) == (OUTCOME.HANDED_OVER, [["A person comes."]])
    assert brain.asked == []


async def test_what_follows_the_word_that_brings_the_brain_back_is_answered(bus: Bus) -> None:
    brain = FakeBrain(words=HANDOFF)
    await send(bus, "agent")
    await drain(worker(bus, brain))
    await send(bus, "hello?", "bot", "when are you open?")
    await drain(worker(bus, brain))
    assert await outcomes(bus) == [OUTCOME.HANDED_OVER, OUTCOME.TAKEN, OUTCOME.HANDED_BACK, OUTCOME.ANSWERED]
    assert said(await done(bus))[-1] == ["when are you open?"]
    await assert_in_order_and_once(bus)


async def test_once_staff_has_come_the_word_brings_no_brain_back(bus: Bus) -> None:
    brain = FakeBrain(words=HANDOFF)
    await send(bus, "agent")
    await drain(worker(bus, brain))
    await takes(bus)
    await send(bus, "bot")
    await drain(worker(bus, brain))
    assert await outcomes(bus) == [OUTCOME.HANDED_OVER, OUTCOME.TAKEN]
    held = await taken(bus)
    assert held is not None
    assert held.by == "alice"


@whatever_the_brain
async def test_a_brain_that_asks_for_a_person_has_the_last_word(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts, words=HANDOFF, hand_over=True)
    await send(bus, "one")
    await drain(worker(bus, brain))
    await send(bus, "two")
    await drain(worker(bus, brain))
    turns = await done(bus)
    assert [turn.outcome for turn in turns] == [OUTCOME.HANDED_OVER, OUTCOME.TAKEN]
    assert said(turns) == [["one"], []]
    assert turns[0].tally.greeted
    held = turns[0].tally.taken
    assert held is not None
    assert (held.by, held.until - held.at) == ("", timedelta(hours=24))


async def test_a_brain_that_asks_for_a_person_and_says_nothing_is_spoken_for(bus: Bus) -> None:
    await send(bus, "one")
    await drain(worker(bus, FakeBrain(words=HANDOFF, hand_over=True, answering=silent)))
    assert said(await done(bus)) == [["A person comes."]]


async def test_a_brain_that_comes_back_is_told_what_it_said_when_it_handed_over(bus: Bus) -> None:
    await send(bus, "one")
    await drain(worker(bus, FakeBrain(words=HANDOFF, hand_over=True)))
    await send(bus, "bot")
    await send(bus, "two")
    brain = FakeBrain(words=HANDOFF)
    await drain(worker(bus, brain))
    assert [(was.text, was.answers) for was in await brain.asked[0].past()] == [("one", ("one",))]


async def test_a_dead_letter_that_was_outstanding_is_written_after_a_takeover(bus: Bus, broker: Stack) -> None:
    (seq,) = await send(bus, "one")
    await die_burying(broker, FakeBrain(answering=fails))
    assert await dead_letters(bus) == []
    await takes(bus)
    await release(bus, "default", C)
    await drain(worker(bus, FakeBrain()))
    assert [letter.sequence for letter in await dead_letters(bus)] == [seq]


async def assert_dealt_with_once(bus: Bus) -> None:
    """Each text is in exactly one turn, and the chain has no fork, takeovers and all."""
    before = 0
    for stored in await history(bus, topology.own(C)):
        assert stored.headers["Nats-Expected-Last-Subject-Sequence"] == str(before)
        before = stored.seq
    texts = [stored.seq for stored in await history(bus, topology.texts(C))]
    dealt = [seq for turn in await done(bus) for seq in texts if turn.first <= seq <= turn.upto]
    assert dealt == texts
