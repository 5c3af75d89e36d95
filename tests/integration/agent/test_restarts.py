"""Texts that arrive while the brain thinks: the next turn, or this one begun anew, as the agent file says."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from harness.waiting import wait_until
from integration.agent.workers import (
    WORDS,
    C,
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    begun,
    done,
    drain,
    said,
    send,
    worker,
)
from parley_agent import thinking
from parley_agent.thinking import MOST_RESTARTS
from parley_brains.agent_file import AgentFile, ReplyLimits, WhileThinking
from parley_brains.brain import Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import Keyword, TurnOutcome

pytestmark = pytest.mark.anyio

ANEW = msgspec.structs.replace(WORDS, while_thinking=WhileThinking.RESTART)
whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])


@dataclass
class Talk:
    """One person and a brain that answers only once it is let."""

    bus: Bus
    acts: bool = True
    words: AgentFile = ANEW
    bells: bool = True
    gather_s: float = 0.001
    highest: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: int = 0
    listens: int = 0

    def __post_init__(self) -> None:
        self.brain = FakeBrain(acts=self.acts, words=self.words, answering=self._answer)

    async def text(self, body: str, **fields: Any) -> None:
        """Texts, and rings the bell here unless it rings elsewhere."""
        (seq,) = await send(self.bus, body, **fields)
        self.highest = seq if self.bells else self.highest

    def drained(self) -> asyncio.Task[int]:
        """A drain that goes on."""
        conversations = worker(self.bus, self.brain, Circumstances(gather_s=self.gather_s))
        return asyncio.create_task(drain(conversations, C, self._rung))

    async def listened(self) -> None:
        """Waits until whoever listens for texts has done so a few times more."""
        before = self.listens
        await wait_until(lambda: self.listens > before + 3, what="somebody listening for texts")

    async def asked(self, times: int) -> None:
        """Waits until the brain was asked so often."""
        await wait_until(lambda: len(self.brain.asked) >= times, 15.0, what=f"the brain being asked {times} times")

    def _rung(self) -> int:
        self.listens += 1
        return self.highest

    async def _answer(self, turn: Turn) -> tuple[str, ...]:
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return (turn.text,)


@whatever_the_brain
async def test_as_a_rule_a_text_that_comes_meanwhile_is_the_next_turn(bus: Bus, *, acts: bool) -> None:
    talk = Talk(bus, acts=acts, words=WORDS)
    await talk.text("one")
    draining = talk.drained()
    await talk.asked(1)
    await talk.text("two")
    await talk.listened()
    talk.may_answer.set()
    await draining
    assert said(await done(bus)) == [["one"], ["two"]]
    assert talk.cancelled == 0


@whatever_the_brain
@pytest.mark.parametrize("bells", [True, False], ids=["its bell rings here", "its bell rings elsewhere"])
async def test_a_text_that_comes_meanwhile_has_the_turn_begin_anew_with_both(
    bus: Bus, *, acts: bool, bells: bool
) -> None:
    talk = Talk(bus, acts=acts, bells=bells)
    await talk.text("one")
    draining = talk.drained()
    await talk.asked(1)
    await talk.text("two")
    await talk.asked(2)
    talk.may_answer.set()
    await draining
    assert said(await done(bus)) == [["one\ntwo"]]
    assert talk.cancelled == 1
    assert [turn.text for turn in talk.brain.asked] == ["one", "one\ntwo"]
    assert len({turn.key for turn in talk.brain.asked}) == 2
    await assert_in_order_and_once(bus)


async def test_a_turn_that_begins_anew_is_written_down_and_uses_up_no_attempt(bus: Bus) -> None:
    talk = Talk(bus)
    await talk.text("one")
    draining = talk.drained()
    for n in range(2):
        await talk.asked(n + 1)
        await talk.text("more")
    await talk.asked(3)
    talk.may_answer.set()
    await draining
    starts = await begun(bus)
    assert [turn.attempt for turn in starts] == [1, 1, 1]
    assert [turn.first for turn in starts] == [starts[0].first] * 3
    assert [turn.last for turn in starts] == sorted({turn.last for turn in starts})


@whatever_the_brain
async def test_a_turn_begins_anew_only_so_often(bus: Bus, *, acts: bool) -> None:
    talk = Talk(bus, acts=acts)
    await talk.text("0")
    draining = talk.drained()
    for n in range(1, MOST_RESTARTS + 2):
        await talk.asked(n)
        await talk.text(str(n))
    await talk.asked(MOST_RESTARTS + 1)
    await talk.listened()
    talk.may_answer.set()
    await draining
    assert talk.cancelled == MOST_RESTARTS
    assert said(await done(bus)) == [["0\n1\n2\n3"], ["4"]]
    await assert_in_order_and_once(bus)


async def test_in_all_it_takes_no_longer_than_an_answer_may(bus: Bus) -> None:
    words = msgspec.structs.replace(ANEW, reply=ReplyLimits(within_s=2.0))
    talk = Talk(bus, words=words)
    await talk.text("0")
    draining = talk.drained()
    await talk.asked(1)
    await talk.text("1")
    await talk.asked(2)
    async with asyncio.timeout(8.0):
        await draining
    (turn,) = await done(bus)
    assert (turn.outcome, said([turn])) == (TurnOutcome.FAILED, [["Sorry."]])


async def test_half_of_its_time_is_left_to_the_brain(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    passed_s = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed_s)
    monkeypatch.setattr(thinking, "time", clock)
    talk = Talk(bus, words=msgspec.structs.replace(ANEW, reply=ReplyLimits(within_s=120.0)))
    await talk.text("one")
    draining = talk.drained()
    await talk.asked(1)
    passed_s = 60.0
    await talk.text("two")
    await talk.listened()
    talk.may_answer.set()
    await draining
    assert talk.cancelled == 0
    assert said(await done(bus)) == [["one"], ["two"]]


async def test_what_does_not_join_the_turn_leaves_it_as_it_is(bus: Bus) -> None:
    talk = Talk(bus)
    await talk.text("one")
    draining = talk.drained()
    await talk.asked(1)
    await talk.text("HELP", keyword=Keyword.HELP)
    await talk.text("two")
    await talk.listened()
    talk.may_answer.set()
    await draining
    assert talk.cancelled == 0
    assert said(await done(bus)) == [["one"], [], ["two"]]


@pytest.mark.parametrize("restarts", [0, 1])
async def test_who_dies_in_a_turn_that_began_anew_leaves_its_wider_range(bus: Bus, restarts: int) -> None:
    dying = Talk(bus)
    await dying.text("one")
    draining = dying.drained()
    await dying.asked(1)
    if restarts:
        await dying.text("two")
        await dying.asked(2)
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)
    heir = Talk(bus)
    heir.may_answer.set()
    await heir.drained()
    assert said(await done(bus)) == [["one\ntwo" if restarts else "one"]]
    assert heir.brain.asked[0].key == dying.brain.asked[-1].key
    assert [turn.attempt for turn in await begun(bus)] == [1] * (restarts + 1) + [2]
    await assert_in_order_and_once(bus)


async def test_a_drain_that_is_cancelled_cancels_its_brain(bus: Bus) -> None:
    talk = Talk(bus, acts=False)
    await talk.text("one")
    draining = talk.drained()
    await talk.asked(1)
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)
    assert talk.cancelled == 1
    assert await bus.last(topology.own(C)) is None
