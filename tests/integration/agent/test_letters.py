"""Dead letters of turns: one for each turn that failed, none for an end that was refused (P7)."""

import asyncio

import pytest
from nats.errors import TimeoutError as BrokerTimeout
from structlog.testing import capture_logs

from harness.stack import Stack
from integration.agent.workers import (
    C,
    FakeBrain,
    Gate,
    assert_in_order_and_once,
    dead_letters,
    done,
    drain,
    said,
    send,
    worker,
)
from integration.common.connections import history
from parley_brains.brain import Turn
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.doorbells import Busy
from parley_common.events import Event, TurnOutcome, encode
from unit.agent.builders import a_start, an_end

pytestmark = pytest.mark.anyio


class DeathBetweenWrites(Bus):
    """Loses the connection right before the first dead letter is written."""

    deaths = 1

    async def publish(self, subject: str, event: Event, *, dedupe: bool = False, timeout_s: float = 5.0) -> int:
        """Publishes, but for the first letter."""
        if subject.startswith("dead.") and self.deaths:
            self.deaths -= 1
            raise BrokerTimeout
        return await super().publish(subject, event, dedupe=dedupe, timeout_s=timeout_s)


async def fails(_turn: Turn) -> tuple[str, ...]:
    raise ValueError("no idea")


async def die_burying(broker: Stack, brain: FakeBrain) -> None:
    bus = DeathBetweenWrites(Broker(broker.nats_url), name="dying")
    await bus.connect()
    try:
        with pytest.raises(BrokerTimeout):
            await drain(worker(bus, brain))
    finally:
        await bus.close()


@pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])
async def test_a_failure_after_anothers_answer_leaves_no_letter(bus: Bus, *, acts: bool) -> None:
    gate = Gate()

    async def fails_late(turn: Turn) -> tuple[str, ...]:
        await gate(turn)
        raise ValueError("no idea")

    await send(bus, "one")
    zombie = asyncio.create_task(drain(worker(bus, FakeBrain(acts=acts, answering=fails_late))))
    await gate.reached.wait()
    await drain(worker(bus, FakeBrain(acts=acts)))
    gate.open.set()
    await zombie
    assert said(await done(bus)) == [["one"]]
    assert await dead_letters(bus) == []


@pytest.mark.parametrize("readable", [True, False], ids=["its brain failed", "it could not be read"])
async def test_who_dies_before_the_letter_leaves_it_to_the_next(
    bus: Bus, broker: Stack, *, readable: bool
) -> None:
    if readable:
        (seq,) = await send(bus, "one")
    else:
        seq = (await bus.js.publish(topology.texts(C), b"{}")).seq
    await die_burying(broker, FakeBrain(answering=fails))
    assert await dead_letters(bus) == []
    brain = FakeBrain()
    for _ in range(2):
        await drain(worker(bus, brain))
    (letter,) = await dead_letters(bus)
    outcome = TurnOutcome.FAILED if readable else TurnOutcome.UNREADABLE
    assert (letter.sequence, letter.reason) == (seq, f"its turn ended as {outcome.value}")
    assert [turn.outcome for turn in await done(bus)] == [outcome]
    assert brain.asked == []


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_what_cannot_be_read_in_a_begun_turn_is_buried_by_itself(bus: Bus, place: int) -> None:
    """Another release began the turn, and could read all of it."""
    seqs = [
        (await bus.js.publish(topology.texts(C), b"{}")).seq if n == place else (await send(bus, str(n)))[0]
        for n in range(3)
    ]
    start = a_start(conversation=C, first=seqs[0], last=seqs[-1])
    await bus.append(topology.turn_begun(C), start, after=0, chain=topology.own(C))
    brain = FakeBrain(acts=True)
    await drain(worker(bus, brain))
    turns = await done(bus)
    (buried,) = [turn for turn in turns if turn.outcome is TurnOutcome.UNREADABLE]
    assert (buried.first, buried.upto) == (seqs[place], seqs[place])
    assert "\n".join(turn.text for turn in brain.asked).split() == [str(n) for n in range(3) if n != place]
    (letter,) = await dead_letters(bus)
    assert letter.sequence == seqs[place]
    await assert_in_order_and_once(bus)


async def test_an_event_of_a_newer_release_is_waited_for_in_one_line(bus: Bus) -> None:
    newer = b'{"type":"TurnTaken","id":"x","at":"2026-01-02T03:04:05Z","channel":"default","conversation":"c"}'
    await bus.js.publish(topology.turn_done(C), newer)
    await send(bus, "one")
    conversations = worker(bus, FakeBrain())
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(Busy):
                await drain(conversations)
        assert not await conversations.is_done(C, 1)
    (line,) = logs
    assert (line["log_level"], line["conversation"]) == ("error", C)
    assert "exc_info" not in line
    assert [stored.data for stored in await history(bus, topology.own(C))] == [newer]


async def test_a_conversation_goes_on_once_its_last_event_is_understood(bus: Bus) -> None:
    await bus.js.publish(topology.turn_done(C), b'{"type":"TurnTaken"}')
    (seq,) = await send(bus, "one")
    conversations = worker(bus, FakeBrain())
    with pytest.raises(Busy):
        await drain(conversations)
    await bus.js.publish(topology.turn_done(C), encode(an_end(conversation=C, upto=0)))
    assert await drain(conversations) == seq
