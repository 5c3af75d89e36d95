"""A backup restored into an empty broker: nothing is sent until resumed, then nothing twice."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from e2e.conftest import QUICK
from harness.people import Person, simulator_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from integration.cli.command import done
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.events import TurnDone, TurnOutcome
from parley_dev.processes import BROKER, SERVICES
from parley_simulator.control import SimulatorControl
from parley_simulator.faults import Fault, Match, Place, Rule

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class People:
    """Whoever wrote, named after how they stand when the backup is taken and what follows."""

    delivered: Person
    queued: Person
    queued_then_delivered: Person
    unanswered: Person
    unanswered_then_delivered: Person
    new_since: Person

    @property
    def everybody(self) -> tuple[Person, ...]:
        """All of them."""
        return (
            self.delivered,
            self.queued,
            self.queued_then_delivered,
            self.unanswered,
            self.unanswered_then_delivered,
            self.new_since,
        )

    @property
    def unreached(self) -> tuple[Person, ...]:
        """Those whom nothing reaches before the loss."""
        return (self.queued, self.unanswered)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param((BROKER, *SERVICES), id="all is lost"),
        pytest.param((BROKER,), id="the services live on", marks=pytest.mark.long),
    ],
)
async def test_after_a_restore_nothing_is_sent_until_resumed_and_then_nothing_twice(
    tmp_path: Path, lost: Sequence[str]
) -> None:
    async with (
        running_stack(tmp_path / "parley", settings=QUICK | {"PARLEY_BACKFILL_AFTER_S": "0"}) as stack,
        simulator_of(stack) as simulator,
    ):
        people = People(*(Person(f"+1555019{n:04d}", simulator) for n in range(6)))
        somebody_new = Person("+15550190099", simulator)
        folder = tmp_path / "backup"

        await _until_the_backup(stack, simulator, people, folder)
        await _until_the_loss(stack, people)
        at_the_loss = {person: await _bodies(person) for person in people.everybody}
        await _lose(stack, lost)
        await simulator.clear_faults()
        assert "parley resume" in await done(stack, "restore", str(folder))
        await stack[BROKER].restart()
        await _start_again(stack, lost)

        await people.delivered.text("ECHO once more")
        await somebody_new.text("ECHO hello")
        await wait_until(lambda: _is_answered(stack, "once more"), 30.0, what="the turn of the old person")
        await wait_until(lambda: _is_answered(stack, "hello"), 30.0, what="the turn of the new person")
        await anyio.sleep(3.0)
        assert {person: await _bodies(person) for person in people.everybody} == at_the_loss
        assert await _bodies(somebody_new) == []
        assert "restored from the backup" in await done(stack, "switches")

        await done(stack, "resume")
        await people.delivered.wait_for(2, 40.0)
        await somebody_new.wait_for(1, 40.0)
        await people.queued.wait_for(1, 60.0)
        await done(stack, "backfill", "--since", "1h")
        await wait_until(
            lambda: _outcomes(stack, people.new_since), 30.0, what="the turn of the text that was lost"
        )
        for person in people.everybody:
            await person.text("ECHO last words")
        await wait_until(
            lambda: _all_got(people.everybody, "last words"), 60.0, what="an answer to the last words"
        )

        assert await _bodies(people.delivered) == ["delivered", "once more", "last words"]
        assert await _bodies(people.queued) == ["queued", "last words"]
        assert await _bodies(people.queued_then_delivered) == ["queued, then delivered", "last words"]
        assert await _bodies(people.unanswered) == ["last words"]
        assert await _bodies(people.unanswered_then_delivered) == ["unanswered, then delivered", "last words"]
        assert await _bodies(people.new_since) == ["new since", "last words"]
        assert await _bodies(somebody_new) == ["hello"]
        for person in (people.unanswered, people.unanswered_then_delivered, people.new_since):
            assert await _outcomes(stack, person) == [TurnOutcome.LATE, TurnOutcome.ANSWERED]


async def _until_the_backup(stack: Stack, simulator: SimulatorControl, people: People, folder: Path) -> None:
    await people.delivered.text("ECHO delivered")
    await people.delivered.wait_for(1)
    for person in people.unreached:
        throttled = Rule(
            where=Place.CREATE, what=Fault.STATUS, match=Match(to=person.number), status=429, code=20429
        )
        await simulator.add_fault(throttled)
    await done(stack, "pause")
    await people.queued.text("ECHO queued")
    await people.queued_then_delivered.text("ECHO queued, then delivered")
    await wait_until(lambda: _is_answered(stack, "queued"), what="the first queued reply")
    await wait_until(lambda: _is_answered(stack, "queued, then delivered"), what="the second queued reply")
    for service in ("agent", "egress"):
        await stack[service].stop()
    await done(stack, "resume")  # so that the backup itself says nothing of a pause
    await people.unanswered.text("ECHO unanswered")
    await people.unanswered_then_delivered.text("ECHO unanswered, then delivered")
    await done(stack, "backup", str(folder))


async def _until_the_loss(stack: Stack, people: People) -> None:
    """All are answered but those whom nothing reaches."""
    for service in ("agent", "egress"):
        await stack[service].start()
    await people.new_since.text("ECHO new since")
    for person in set(people.everybody) - set(people.unreached):
        await person.wait_for(1, 40.0)
    await wait_until(lambda: _is_answered(stack, "unanswered"), what="the reply that reaches nobody")
    assert [await _bodies(person) for person in people.unreached] == [[], []]


async def _lose(stack: Stack, lost: Sequence[str]) -> None:
    """These die, and with them all that the broker had."""
    for name in lost:
        stack[name].kill()
    shutil.rmtree(stack.plan.data_dir / "nats")
    await stack[BROKER].start()


async def _start_again(stack: Stack, lost: Sequence[str]) -> None:
    for name in set(lost) - {BROKER}:
        stack[name].spawn()
    for name in SERVICES:
        await stack[name].ready(40.0)


async def _bodies(person: Person) -> list[str]:
    return [message.body for message in await person.received()]


async def _all_got(people: Sequence[Person], body: str) -> bool:
    return all([body in await _bodies(person) for person in people])


async def _is_answered(stack: Stack, body: str) -> bool:
    return any(body in [reply.text for reply in turn.messages] for turn in await _turns(stack))


async def _outcomes(stack: Stack, person: Person) -> list[TurnOutcome]:
    return [turn.outcome for turn in await _turns(stack) if turn.contact == person.number]


async def _turns(stack: Stack) -> list[TurnDone]:
    """All turns in the stream, in order."""
    bus = Bus(Broker(stack.nats_url), name="test")
    await bus.connect()
    found: list[TurnDone] = []
    seq = 1
    while (stored := await bus.next(topology.ALL_TURNS, seq=seq)) is not None:
        event = stored.event()
        assert isinstance(event, TurnDone)
        found.append(event)
        seq = stored.seq + 1
    await bus.close()
    return found
