"""What a model takes counts for the day, also where its answer is too late, begun anew, refused or taken over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest

from harness.waiting import wait_until
from integration.agent.workers import (
    WORDS,
    C,
    FakeBrain,
    begun,
    dead_letters,
    done,
    drain,
    said,
    send,
    worker,
)
from parley_brains.agent_file import ReplyLimits, WhileThinking
from parley_brains.brain import BrainFailed, Turn
from parley_common.bus import Bus
from parley_common.events import TurnOutcome, Usage
from parley_common.takeover import take

pytestmark = pytest.mark.anyio

OUTCOME = TurnOutcome
ANEW = msgspec.structs.replace(WORDS, while_thinking=WhileThinking.RESTART)


def took(read: int, written: int = 0) -> Usage:
    return Usage(model="m", input_tokens=read, output_tokens=written)


@dataclass
class Dear:
    """Answers as a model does that takes tokens at once and goes on for as long as the test wants."""

    tokens: int = 500
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    times: int = 0

    async def __call__(self, turn: Turn) -> tuple[str, ...]:
        """Spends, waits, and says what the person said."""
        self.times += 1
        turn.spent(took(self.tokens))
        await self.may_answer.wait()
        return (turn.text,)

    async def asked(self, times: int) -> None:
        """Waits until it was asked so often."""
        await wait_until(lambda: self.times >= times, 15.0, what=f"the model being asked {times} times")


async def test_an_answer_that_comes_too_late_has_cost_the_same(bus: Bus) -> None:
    words = msgspec.structs.replace(WORDS, reply=ReplyLimits(within_s=1.0))
    await send(bus, "one")
    await drain(worker(bus, FakeBrain(acts=True, words=words, answering=Dear())))
    (turn,) = await done(bus)
    assert (turn.outcome, turn.tally.tokens, turn.usage) == (OUTCOME.FAILED, 500, took(500))


async def test_a_brain_that_says_only_in_the_end_what_it_took_is_counted_once(bus: Bus) -> None:
    async def both(turn: Turn) -> tuple[str, ...]:
        turn.spent(took(60, 5))
        return ("hello",)

    async def failing(_turn: Turn) -> tuple[str, ...]:
        raise BrainFailed("no answer", usage=took(30))

    for answering, usage in ((both, took(60, 5)), (failing, None)):
        await send(bus, "hi")
        await drain(worker(bus, FakeBrain(acts=True, answering=answering, usage=usage)))
    assert [turn.tally.tokens for turn in await done(bus)] == [65, 95]
    assert [turn.usage for turn in await done(bus)] == [took(60, 5), took(30)]


@pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])
async def test_a_turn_that_begins_anew_counts_all_of_it(bus: Bus, *, acts: bool) -> None:
    dear, highest = Dear(), await send(bus, "one")
    draining = asyncio.create_task(
        drain(worker(bus, FakeBrain(acts=acts, words=ANEW, answering=dear)), C, lambda: highest[-1])
    )
    await dear.asked(1)
    highest += await send(bus, "two")
    await dear.asked(2)
    dear.may_answer.set()
    await draining
    (turn,) = await done(bus)
    assert (said([turn]), turn.tally.tokens, turn.usage) == ([["one\ntwo"]], 1000, took(1000))
    assert [start.tally.tokens for start in await begun(bus)] == ([0, 500] if acts else [])


async def test_texting_on_does_not_get_round_the_days_tokens(bus: Bus) -> None:
    words = msgspec.structs.replace(ANEW, daily_tokens=900)
    dear, highest = Dear(), await send(bus, "one")
    draining = asyncio.create_task(
        drain(worker(bus, FakeBrain(acts=True, words=words, answering=dear)), C, lambda: highest[-1])
    )
    for n in range(2):
        await dear.asked(n + 1)
        highest += await send(bus, "more")
    await draining
    (turn,) = await done(bus)
    assert (turn.outcome, said([turn]), turn.tally.tokens) == (OUTCOME.CAPPED, [["Enough for today."]], 1000)


async def test_a_refusal_that_ends_the_thinking_leaves_what_it_took(bus: Bus) -> None:
    dear, highest = Dear(), await send(bus, "one")
    draining = asyncio.create_task(
        drain(worker(bus, FakeBrain(acts=True, answering=dear)), C, lambda: highest[-1])
    )
    await dear.asked(1)
    highest += await send(bus, "stop texting me")
    await draining
    (turn,) = await done(bus)
    assert (turn.outcome, turn.tally.tokens, turn.usage) == (OUTCOME.REFUSED, 500, took(500))


async def test_what_an_answer_took_that_a_takeover_refused_is_counted_with_the_next_turn(bus: Bus) -> None:
    dear = Dear()
    await send(bus, "one")
    draining = asyncio.create_task(drain(worker(bus, FakeBrain(acts=True, answering=dear))))
    await dear.asked(1)
    await take(bus, "default", C, by="alice", within=timedelta(hours=1))
    dear.may_answer.set()
    await draining
    (turn,) = await done(bus)
    assert (turn.outcome, turn.tally.tokens) == (OUTCOME.TAKEN, 500)
    assert await dead_letters(bus) == []
