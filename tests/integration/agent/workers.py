"""Workers of the agent in this process, with brains that do what a test wants, and what they left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nats.js.api import DeliverPolicy

from integration.common.connections import NUMBER, a_text, history
from parley_agent.conversations import Conversations
from parley_agent.turns import Pace, Turns
from parley_brains.agent_file import AgentFile
from parley_brains.agents import Agent
from parley_brains.brain import Message, Said, Turn
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel, Channels
from parley_common.doorbells import Highest
from parley_common.events import DeadLetter, Event, TurnBegun, TurnDone, Usage
from parley_common.identity import Identity

C = "c"
IDENTITY = Identity(b"0" * 32)
E = TypeVar("E", bound=Event)

CHANNEL = Channel(
    name="default",
    account_sid="AC" + "0" * 32,
    auth_tokens=("token",),
    numbers=(NUMBER,),
    messaging_service_sid=None,
    allowed=frozenset(),
    allow_all=True,
)

WORDS = AgentFile(failure="Sorry.", apology="Too late.", capped="Enough for today.", empty="Nothing.")

Answering = Callable[[Turn], Awaitable[tuple[str, ...]]]


async def echo(turn: Turn) -> tuple[str, ...]:
    """Says what the person said."""
    return (turn.text,)


@dataclass
class FakeBrain:
    """Notes what it is asked and answers as told."""

    acts: bool = False
    words: AgentFile = WORDS
    answering: Answering = echo
    hand_over: bool = False
    usage: Usage | None = None
    asked: list[Turn] = field(default_factory=list)

    async def answer(self, turn: Turn) -> Said:
        """Answers."""
        self.asked.append(turn)
        messages = tuple(Message(text=text) for text in await self.answering(turn))
        return Said(messages=messages, hand_over=self.hand_over, usage=self.usage)

    async def close(self) -> None:
        """Nothing is open."""


class Gate:
    """Holds a brain in the middle of its work until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, turn: Turn) -> tuple[str, ...]:
        """Waits, then says what the person said."""
        self.reached.set()
        await self.open.wait()
        return await echo(turn)


class NoLeases:
    """Gives everything to everybody, so that only the chain keeps order."""

    async def take(self, _key: str) -> str | None:
        """Always taken."""
        return None

    async def release(self, _key: str) -> None:
        """Nothing to give back."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a worker may have beside a bus and a brain. By default it gathers nothing and waits for nothing."""

    leases: Any = field(default_factory=NoLeases)
    channel: Channel = CHANNEL
    gather_s: float = 0.001
    max_answer_age_s: float = 1800.0
    in_doubt: Callable[[], bool] = lambda: False


def worker(bus: Bus, brain: FakeBrain, circumstances: Circumstances | None = None) -> Conversations:
    """A worker of the agent, without doorbells."""
    around = circumstances or Circumstances()
    turns = Turns(
        bus,
        Agent(file=brain.words, brain=brain),
        Channels((around.channel,)),
        identity=IDENTITY,
        pace=Pace(gather_s=around.gather_s, reply_expiry_s=3600.0, max_answer_age_s=around.max_answer_age_s),
        in_doubt=around.in_doubt,
    )
    return Conversations(bus, around.leases, turns)


async def drain(conversations: Conversations, conversation: str = C, highest: Highest = lambda: 0) -> int:
    """Has a conversation drained by one who heard no bell, unless ``highest`` tells of one."""
    async with asyncio.timeout(30):
        return await conversations.drain(conversation, highest)


async def send(bus: Bus, *bodies: str, conversation: str = C, **fields: Any) -> list[int]:
    """Texts of a person, one after the other; returns their sequences."""
    subject = topology.texts(conversation)
    return [await bus.publish(subject, a_text(conversation, body, **fields), dedupe=True) for body in bodies]


async def lose_bells(bus: Bus) -> None:
    """Replaces the agent's consumer by one that knows nothing of what was stored before."""
    consumer = next(one for one in topology.CONSUMERS if one.durable == topology.AGENT_BELLS)
    await bus.js.delete_consumer(consumer.stream, consumer.durable)
    config = consumer.config()
    config.deliver_policy = DeliverPolicy.NEW
    await bus.js.add_consumer(consumer.stream, config)


async def die_answering(bus: Bus, conversation: str = C) -> Turn:
    """A worker begins a turn and dies while its brain works; returns what the brain was asked."""
    gate = Gate()
    brain = FakeBrain(acts=True, answering=gate)
    dying = asyncio.create_task(drain(worker(bus, brain), conversation))
    async with asyncio.timeout(10):
        await gate.reached.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    return brain.asked[-1]


async def begun(bus: Bus, conversation: str = C) -> list[TurnBegun]:
    """The turns that were begun, in order."""
    return _of(TurnBegun, await history(bus, topology.own(conversation)))


async def done(bus: Bus, conversation: str = C) -> list[TurnDone]:
    """The turns that ended, in order."""
    return _of(TurnDone, await history(bus, topology.own(conversation)))


async def dead_letters(bus: Bus) -> list[DeadLetter]:
    """What the agent could not process."""
    return _of(DeadLetter, await history(bus, topology.dead_letter("agent")))


def said(turns: Sequence[TurnDone]) -> list[list[str]]:
    """What was answered, turn by turn."""
    return [[message.text for message in turn.messages] for turn in turns]


async def assert_in_order_and_once(bus: Bus, conversation: str = C) -> None:
    """The chain has no fork, its ranges join, and each text is in exactly one turn."""
    own = await history(bus, topology.own(conversation))
    _assert_no_fork(own)
    texts = [stored.seq for stored in await history(bus, topology.texts(conversation))]
    answered: list[int] = []
    for turn in _of(TurnDone, own):
        covered = [seq for seq in texts if turn.first <= seq <= turn.upto]
        assert covered, f"a turn over no text: {turn.first}..{turn.upto}"
        assert (covered[0], covered[-1]) == (turn.first, turn.upto)
        answered += covered
    assert answered == texts


def _assert_no_fork(own: Sequence[Stored]) -> None:
    before = 0
    for stored in own:
        assert stored.headers["Nats-Expected-Last-Subject-Sequence"] == str(before)
        before = stored.seq


def _of(kind: type[E], stored: Sequence[Stored]) -> list[E]:
    events = [one.event() for one in stored]
    return [event for event in events if isinstance(event, kind)]
