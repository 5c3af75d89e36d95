"""Workers that crash at random and read late: texts in order, each in one turn, none left without a bell.

A real broker; the seed decides what happens when, the machine decides the rest. Reads may be slow and stale: they
say "nothing yet", or what was so before, but they never skip anything.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.agent.workers import (
    WORDS,
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    begun,
    done,
    said,
    send,
    worker,
)
from integration.common.bell_listener import open_bells, shorten_ack_wait
from parley_agent import thinking
from parley_brains.agent_file import AgentFile, WhileThinking
from parley_brains.brain import Turn
from parley_common import doorbells, topology
from parley_common.bells import BellSubscriber
from parley_common.broker import Broker
from parley_common.bus import Bus, Stored
from parley_common.doorbells import Bell, Doorbells, Highest
from parley_common.events import TurnOutcome
from parley_common.leases import Leases
from parley_common.tail import fold

pytestmark = pytest.mark.anyio

CONVERSATIONS = tuple(f"c{n}" for n in range(24))
TEXTS_EACH = 4
WORKERS = 3
STALE = 0.4


@dataclass
class Chaos:
    """What happens, from one seed. ``claims`` pairs what each drain reported done with what was done then."""

    random: random.Random
    acts: bool
    words: AgentFile = WORDS
    slowest_s: float = 0.04
    claims: list[tuple[int, int]] = field(default_factory=list)

    async def answer(self, turn: Turn) -> tuple[str, ...]:
        """Takes up to ``slowest_s``."""
        await asyncio.sleep(self.random.uniform(0.0, self.slowest_s))
        return (turn.text,)


class LateBus(Bus):
    """Answers slowly, and now and then with what it knew before."""

    def __init__(self, broker: Stack, chaos: Chaos) -> None:
        super().__init__(Broker(broker.nats_url), name="late")
        self._random = chaos.random
        self._known: dict[str, Stored | None] = {}

    async def last(self, subject: str) -> Stored | None:
        """The newest message, or the one that was the newest when it was last asked."""
        await self._delay()
        if subject in self._known and self._random.random() < STALE:
            return self._known[subject]
        self._known[subject] = await super().last(subject)
        return self._known[subject]

    async def next(self, subject: str, *, seq: int) -> Stored | None:
        """The following message, or none although there is one."""
        await self._delay()
        return None if self._random.random() < STALE else await super().next(subject, seq=seq)

    async def _delay(self) -> None:
        await asyncio.sleep(self._random.uniform(0.0, 0.03))


class Mortal:
    """A worker with bells and leases that can be made to crash: nothing is acked, released or handed back."""

    def __init__(self, broker: Stack, chaos: Chaos) -> None:
        self._chaos = chaos
        self._bus = LateBus(broker, chaos)
        self._leases = Leases(self._bus, topology.Limits())
        brain = FakeBrain(acts=chaos.acts, words=chaos.words, answering=chaos.answer)
        around = Circumstances(leases=self._leases, in_doubt=lambda: self._leases.in_doubt)
        self._conversations = worker(self._bus, brain, around)
        self._doorbells = Doorbells(self._bus, self._drain)
        self._subscriber = BellSubscriber(Broker(broker.nats_url), topology.AGENT_BELLS, self._on_bell)
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to listen."""
        await self._bus.connect()
        await self._leases.renew()
        self._background = [
            asyncio.create_task(self._leases.keep_alive()),
            asyncio.create_task(self._doorbells.keep_alive()),
        ]
        await self._subscriber.start()

    async def crash(self) -> None:
        """Cuts the connection first, so that no last word gets through, then ends what runs."""
        await self._bus.nc.close()
        for task in self._background:
            task.cancel()
        await self._subscriber.stop(self._bus)
        await self._doorbells.stop(grace_s=0.0)

    async def _on_bell(self, subject: str, bell: Bell, _body: bytes) -> None:
        await self._doorbells.ring(topology.conversation_of(subject), bell)

    async def _drain(self, conversation: str, highest: Highest) -> int:
        upto = await self._conversations.drain(conversation, highest)
        truth = await Bus.last(self._bus, topology.own(conversation))
        self._chaos.claims.append((upto, 0 if truth is None else fold(truth.event(), truth.seq).upto))
        await asyncio.sleep(self._chaos.random.uniform(0.0, 0.1))  # held up between seeing and acking
        return upto


@asynccontextmanager
async def mortals(broker: Stack, chaos: Chaos) -> AsyncIterator[list[Mortal]]:
    alive = [Mortal(broker, chaos) for _ in range(WORKERS)]
    for mortal in alive:
        await mortal.start()
    try:
        yield alive
    finally:
        for mortal in alive:
            await mortal.crash()


async def crash_now_and_then(broker: Stack, alive: list[Mortal], chaos: Chaos, over: asyncio.Event) -> None:
    """Goes on until it is over. It is not cancelled: nats-py forgets that it was, in the middle of a drain."""
    while not over.is_set():
        await asyncio.sleep(chaos.random.uniform(0.05, 0.4))
        n = chaos.random.randrange(WORKERS)
        await alive[n].crash()
        alive[n] = Mortal(broker, chaos)
        await alive[n].start()


async def text_all(bus: Bus, chaos: Chaos) -> None:
    async def text_one(conversation: str) -> None:
        await asyncio.sleep(chaos.random.uniform(0.0, 3.0))
        for n in range(TEXTS_EACH):
            await send(bus, f"text {n}", conversation=conversation)
            await asyncio.sleep(chaos.random.uniform(0.0, 0.15))

    await asyncio.gather(*(text_one(conversation) for conversation in CONVERSATIONS))


@pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_text_is_in_one_turn_however_workers_crash(
    bus: Bus, broker: Stack, monkeypatch: pytest.MonkeyPatch, *, seed: int, acts: bool
) -> None:
    monkeypatch.setattr(doorbells, "HEARTBEAT_S", 0.3)
    await shorten_ack_wait(bus, 1.0)
    await survive(bus, broker, Chaos(random.Random(seed), acts))


async def survive(bus: Bus, broker: Stack, chaos: Chaos) -> None:
    """Everybody texts while workers crash; one survives and does what is left."""
    async with mortals(broker, chaos) as alive:
        over = asyncio.Event()
        crashing = asyncio.create_task(crash_now_and_then(broker, alive, chaos, over))
        await text_all(bus, chaos)
        over.set()
        await crashing
        survivor = Mortal(broker, chaos)
        await survivor.start()
        alive.append(survivor)

        async def silent() -> bool:
            return await open_bells(bus) == 0

        await wait_until(silent, 40.0, what="an ack for every bell")
    await assert_promises(bus, chaos)


async def test_turns_that_begin_anew_lose_no_text_however_workers_crash(
    bus: Bus, broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbells, "HEARTBEAT_S", 0.3)
    monkeypatch.setattr(thinking, "LISTEN_EVERY_S", 0.005)
    await shorten_ack_wait(bus, 1.0)
    words = msgspec.structs.replace(WORDS, while_thinking=WhileThinking.RESTART)
    chaos = Chaos(random.Random(3), acts=True, words=words, slowest_s=0.5)
    await survive(bus, broker, chaos)
    starts = [turn for conversation in CONVERSATIONS for turn in await begun(bus, conversation)]
    anew = [
        now
        for now, then in zip(starts[1:], starts, strict=False)
        if now.first == then.first < now.last > then.last
    ]
    assert anew, "no turn began anew"


async def assert_promises(bus: Bus, chaos: Chaos) -> None:
    assert chaos.claims
    assert [claim for claim in chaos.claims if claim[0] > claim[1]] == [], "reported done before it was"
    for conversation in CONVERSATIONS:
        await assert_in_order_and_once(bus, conversation)
        turns = await done(bus, conversation)
        if all(turn.outcome is TurnOutcome.ANSWERED for turn in turns):
            answered = "\n".join(text for turn in said(turns) for text in turn)
            assert answered == "\n".join(f"text {n}" for n in range(TEXTS_EACH))
