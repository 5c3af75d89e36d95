"""Workers that crash at random over a real broker: texts in order, each in one turn, none left without a bell.

The seed decides what happens when; the broker and the machine decide the rest.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.agent.workers import (
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    done,
    said,
    send,
    worker,
)
from integration.common.bell_listener import open_bells, shorten_ack_wait
from parley_agent.brain import Turn
from parley_common import doorbells, topology
from parley_common.bells import BellSubscriber
from parley_common.bus import Bus
from parley_common.doorbells import Bell, Doorbells, Highest
from parley_common.events import TurnOutcome
from parley_common.leases import Leases

pytestmark = pytest.mark.anyio

CONVERSATIONS = ("a", "b", "c")
TEXTS_EACH = 25
WORKERS = 3


@dataclass
class Chaos:
    """What happens, drawn from one seed. ``claims`` are what drains reported: (conversation, upto)."""

    random: random.Random
    acts: bool
    claims: list[tuple[str, int]] = field(default_factory=list)

    async def answer(self, turn: Turn) -> tuple[str, ...]:
        """Takes up to 40 ms."""
        await asyncio.sleep(self.random.uniform(0.0, 0.04))
        return (turn.text,)


class Mortal:
    """A worker with bells and leases that can be made to crash: nothing is acked, released or handed back."""

    def __init__(self, broker: Stack, chaos: Chaos) -> None:
        self._chaos = chaos
        self._bus = Bus(broker.nats_url, name="mortal")
        self._leases = Leases(self._bus, topology.Limits())
        brain = FakeBrain(acts=chaos.acts, answering=chaos.answer)
        around = Circumstances(leases=self._leases, in_doubt=lambda: self._leases.in_doubt)
        self._conversations = worker(self._bus, brain, around)
        self._doorbells = Doorbells(self._bus, self._drain)
        self._subscriber = BellSubscriber(broker.nats_url, topology.AGENT_BELLS, self._on_bell)
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
        await self._subscriber.stop()
        await self._doorbells.stop(grace_s=0.0)

    async def _on_bell(self, subject: str, bell: Bell, _body: bytes) -> None:
        await self._doorbells.ring(topology.conversation_of(subject), bell)

    async def _drain(self, conversation: str, highest: Highest) -> int:
        upto = await self._conversations.drain(conversation, highest)
        self._chaos.claims.append((conversation, upto))
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


async def crash_now_and_then(broker: Stack, alive: list[Mortal], chaos: Chaos) -> None:
    while True:
        await asyncio.sleep(chaos.random.uniform(0.05, 0.4))
        n = chaos.random.randrange(WORKERS)
        await alive[n].crash()
        alive[n] = Mortal(broker, chaos)
        await alive[n].start()


async def text_all(bus: Bus, chaos: Chaos) -> None:
    for n in range(TEXTS_EACH):
        for conversation in chaos.random.sample(CONVERSATIONS, len(CONVERSATIONS)):
            await send(bus, f"text {n}", conversation=conversation)
        await asyncio.sleep(chaos.random.uniform(0.0, 0.15))


@pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_text_is_in_one_turn_however_workers_crash(
    bus: Bus, broker: Stack, monkeypatch: pytest.MonkeyPatch, *, seed: int, acts: bool
) -> None:
    monkeypatch.setattr(doorbells, "HEARTBEAT_S", 0.3)
    await shorten_ack_wait(bus, 1.0)
    chaos = Chaos(random.Random(seed), acts)
    async with mortals(broker, chaos) as alive:
        crashing = asyncio.create_task(crash_now_and_then(broker, alive, chaos))
        await text_all(bus, chaos)
        crashing.cancel()
        await asyncio.gather(crashing, return_exceptions=True)
        survivor = Mortal(broker, chaos)
        await survivor.start()
        alive.append(survivor)

        async def silent() -> bool:
            return await open_bells(bus) == 0

        await wait_until(silent, 40.0, what="an ack for every bell")
    await assert_promises(bus, chaos)


async def assert_promises(bus: Bus, chaos: Chaos) -> None:
    for conversation in CONVERSATIONS:
        await assert_in_order_and_once(bus, conversation)
        turns = await done(bus, conversation)
        assert turns
        claims = [upto for claimed, upto in chaos.claims if claimed == conversation]
        assert claims
        assert max(claims) <= turns[-1].upto, "a worker reported done what nobody has done"
        if all(turn.outcome is TurnOutcome.ANSWERED for turn in turns):
            answered = "\n".join(text for turn in said(turns) for text in turn)
            assert answered == "\n".join(f"text {n}" for n in range(TEXTS_EACH))
