"""How long a turn is thought about: one time limit for all of it, and a slow broker is no failure of the brain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from nats.errors import TimeoutError as BrokerTimeout

from harness.stack import Stack
from integration.agent.workers import (
    CHANNEL,
    IDENTITY,
    WORDS,
    FakeBrain,
    NoLeases,
    dead_letters,
    done,
    drain,
    said,
    send,
    worker,
)
from parley_agent.conversations import Conversations
from parley_agent.media.incoming import Carried
from parley_agent.turns import Pace, Turns
from parley_brains.agent_file import ReplyLimits
from parley_brains.agents import Agent
from parley_brains.brain import Said, Turn
from parley_common.broker import Broker
from parley_common.bus import Bus, Stored
from parley_common.channels import Channels
from parley_common.events import Event, InboundMessage

pytestmark = pytest.mark.anyio

QUICK = msgspec.structs.replace(WORDS, reply=ReplyLimits(within_s=2.0))


class SlowToBegin(Bus):
    """Takes longer to write a turn's start than an answer may take."""

    async def append(self, subject: str, event: Event, *, after: int, chain: str) -> int:
        """Appends, the start of a turn after a while."""
        if subject.endswith(".begun"):
            await asyncio.sleep(2.5)
        return await super().append(subject, event, after=after, chain=chain)


class Forgetful(Bus):
    """Cannot read the ends of turns so many times."""

    troubles = 0

    async def next(self, subject: str, *, seq: int) -> Stored | None:
        """Reads, unless there is trouble."""
        if self.troubles and subject.endswith(".own.done"):
            self.troubles -= 1
            raise BrokerTimeout
        return await super().next(subject, seq=seq)


@asynccontextmanager
async def connected(bus: Bus) -> AsyncIterator[None]:
    await bus.connect()
    try:
        yield
    finally:
        await bus.close()


async def with_a_pause(turn: Turn) -> tuple[str, ...]:
    await asyncio.sleep(0.05)
    return (turn.text,)


async def test_waiting_for_the_broker_takes_nothing_from_the_brains_time(bus: Bus, broker: Stack) -> None:
    slow = SlowToBegin(Broker(broker.nats_url), name="slow")
    async with connected(slow):
        await send(bus, "hi")
        await drain(worker(slow, FakeBrain(acts=True, words=QUICK, answering=with_a_pause)))
    assert said(await done(bus)) == [["hi"]]


@pytest.mark.parametrize(("troubles", "known"), [(2, ["one"]), (1_000, [])], ids=["for a moment", "for long"])
async def test_a_broker_in_trouble_costs_the_past_at_most(
    bus: Bus, broker: Stack, troubles: int, known: list[str]
) -> None:
    async def recalling(turn: Turn) -> tuple[str, ...]:
        return (*[exchange.text for exchange in await turn.past()], turn.text)

    words = msgspec.structs.replace(WORDS, reply=ReplyLimits(within_s=15.0))
    brain = FakeBrain(acts=True, words=words, answering=recalling)
    forgetful = Forgetful(Broker(broker.nats_url), name="forgetful")
    async with connected(forgetful):
        await send(bus, "one")
        await drain(worker(forgetful, brain))
        forgetful.troubles = troubles
        await send(bus, "two")
        await drain(worker(forgetful, brain))
    assert said(await done(bus)) == [["one"], [*known, "two"]]
    assert await dead_letters(bus) == []


async def test_a_time_limit_of_the_brains_own_is_not_taken_for_ours(bus: Bus) -> None:
    async def impatient(_turn: Turn) -> tuple[str, ...]:
        raise TimeoutError

    await send(bus, "hi")
    await drain(worker(bus, FakeBrain(acts=True, answering=impatient)))
    (letter,) = await dead_letters(bus)
    assert letter.reason == "the brain failed: TimeoutError"


class SlowDesk:
    """Takes all the time that it is given."""

    def __init__(self) -> None:
        self.given_s: list[float] = []

    async def carried(self, _messages: Sequence[InboundMessage], *, within_s: float) -> Carried:
        """Nothing, late."""
        self.given_s.append(within_s)
        await asyncio.sleep(within_s)
        return Carried()

    async def hosted(self, said: Said, _conversation: str, *, within_s: float) -> Said:
        """As it was said, late."""
        self.given_s.append(within_s)
        await asyncio.sleep(within_s)
        return said


async def test_media_and_the_brain_share_one_time_limit(bus: Bus) -> None:
    left_s: list[float] = []

    async def slow(turn: Turn) -> tuple[str, ...]:
        left_s.append(turn.within_s)
        await asyncio.sleep(turn.within_s * 0.5)
        return ("ok",)

    desk = SlowDesk()
    turns = Turns(
        bus,
        Agent(file=QUICK, brain=FakeBrain(acts=True, words=QUICK, answering=slow)),
        Channels((CHANNEL,)),
        identity=IDENTITY,
        pace=Pace(gather_s=0.0, reply_expiry_s=3600.0, max_answer_age_s=1800.0),
        in_doubt=lambda: False,
        media=desk,  # type: ignore[arg-type]
    )
    await send(bus, "hi")
    await drain(Conversations(bus, NoLeases(), turns))  # type: ignore[arg-type]
    assert said(await done(bus)) == [["ok"]]
    carried_s, hosted_s = desk.given_s
    assert carried_s + left_s[0] <= 2.0
    assert hosted_s <= 2.0 - carried_s - left_s[0] * 0.5
