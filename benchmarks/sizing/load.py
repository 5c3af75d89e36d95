"""People who text the simulated bot and wait for its answer before they text again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from harness.people import Person
from harness.waiting import wait_until
from parley_common import topology
from parley_common.bus import Bus
from parley_simulator.control import SimulatorControl

_ENDS_WITHIN_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """``people`` at once, each ``texts`` times; their numbers begin at ``first``."""

    people: int
    texts: int
    first: int

    @property
    def total(self) -> int:
        """All texts."""
        return self.people * self.texts


async def run_load(load: Load, simulator: SimulatorControl, bus: Bus) -> None:
    """Returns when every answer is delivered and all of it folded into the database."""
    people = [Person(f"+1555{load.first + number:07d}", simulator) for number in range(load.people)]
    await asyncio.gather(*(_converse(person, load.texts) for person in people))
    for person in people:
        await wait_until(partial(_all_delivered, person), _ENDS_WITHIN_S, what="delivered answers")
    await wait_until(lambda: _all_folded(bus), _ENDS_WITHIN_S, what="an end of folding")


async def _converse(person: Person, texts: int) -> None:
    for number in range(1, texts + 1):
        await person.text(f"When are you open on day {number}?")
        await person.wait_for(number, timeout_s=_ENDS_WITHIN_S)


async def _all_delivered(person: Person) -> bool:
    return all(message.status == "delivered" for message in await person.received())


async def _all_folded(bus: Bus) -> bool:
    for consumer in topology.CONSUMERS:
        info = await bus.js.consumer_info(consumer.stream, consumer.durable)
        if info.num_pending or info.num_ack_pending:
            return False
    return True
