"""People who go on texting while something happens to a release, and what became of each of their texts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.people import Person
from harness.waiting import wait_until
from parley_simulator.control import SimulatorControl

_HELD_WITHIN_S = 60.0
_MARK = re.compile(r"\bt(\d+)\b")


@dataclass
class Writer:
    """Somebody who texts again and again. ``accepted``: how many of the texts Parley has answered 200."""

    person: Person
    accepted: int = 0

    async def write(self, first_s: float, every_s: float, over: asyncio.Event) -> None:
        """Texts until it is over, the next one only when Parley holds the last."""
        pause_s = first_s
        while not await _is_set_within(over, pause_s):
            await self.person.text(f"ECHO t{self.accepted}", _HELD_WITHIN_S)
            self.accepted += 1
            pause_s = every_s

    async def marks(self) -> list[int]:
        """The marks of the texts that were answered, in the order in which Twilio accepted the answers."""
        return [int(mark) for text in await self.person.received() for mark in _MARK.findall(text.body)]


@dataclass
class Crowd:
    """Several of them."""

    writers: list[Writer]
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """All texts that Parley holds."""
        return sum(writer.accepted for writer in self.writers)

    def start(self, every_s: float) -> None:
        """Everybody begins, one after another."""
        for place, writer in enumerate(self.writers):
            first_s = every_s * place / len(self.writers)
            self._tasks.append(asyncio.create_task(writer.write(first_s, every_s, self._over)))

    async def stop(self) -> None:
        """Everybody ends with the text at hand; raises what went wrong with one."""
        self._over.set()
        await asyncio.gather(*self._tasks)

    async def all_answered_once_in_order(self, timeout_s: float = 60.0) -> None:
        """Waits until each has one answer to each text, in their order; fails where that does not become so."""

        async def answered() -> bool:
            return sum([len(await writer.marks()) for writer in self.writers]) >= self.accepted

        await wait_until(answered, timeout_s, what=f"answers to {self.accepted} texts")
        for writer in self.writers:
            assert await writer.marks() == list(range(writer.accepted)), writer.person.number[-4:]


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def texting_crowd(
    simulator: SimulatorControl, numbers: list[str], *, every_s: float
) -> AsyncIterator[Crowd]:
    """People who text inside the block. At its end each has had one answer to each text, in order."""
    crowd = Crowd([Writer(Person(number, simulator)) for number in numbers])
    crowd.start(every_s)
    try:
        yield crowd
    finally:
        await crowd.stop()
    await crowd.all_answered_once_in_order()
