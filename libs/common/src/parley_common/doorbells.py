"""Doorbells: a delivery only says that a conversation has work; one task per conversation does it.

A bell is held un-acked, kept alive by heartbeats, until the work behind it is seen done. What the work is, and
when it is done, only the drain knows.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from parley_common.background import end
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.topology import HEARTBEAT_S

_TROUBLE_DELAY_S = 1.0
_MOST_TROUBLE_DELAY_S = 60.0
_CLOSING_DELAY_S = 1.0
"""Whoever closes still holds its leases for a moment: a bell that rang again at once would come back."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Bell:
    """A held delivery: the sequence it speaks of and the subject that answers it, empty where nobody waits."""

    seq: int
    reply: str


class Busy(Exception):  # noqa: N818 - a state, not a fault
    """Somebody living works on this conversation; the bell is for later."""


class Later(Busy):
    """There is nothing to be done before ``delay_s`` seconds are over; the bell is for then."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"not before {delay_s:.1f} s")
        self.delay_s = delay_s


LOOK_AGAIN_S = 0.02
MOST_LOOKS = 50
"""How a drain waits for work that a bell speaks of and a read does not show yet; then the bell rings again."""

Highest = Callable[[], int]
Drain = Callable[[str, Highest], Awaitable[int]]
"""Works on a conversation and returns the sequence up to which it saw everything done.

It may ask for the highest sequence rung so far. Raises ``Busy``.
"""


class Doorbells:
    """The bells this worker holds, and a task for each conversation that has some."""

    def __init__(self, bus: Bus, drain: Drain, *, most_conversations: int = 5_000) -> None:
        self._bus = bus
        self._drain = drain
        self._held: dict[str, dict[int, Bell]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, int] = {}
        self._most = most_conversations
        self._open = True

    async def ring(self, conversation: str, bell: Bell) -> None:
        """Holds the bell and has its conversation worked on; where there is no room, it rings again later."""
        if not self._open:
            await self._nak(bell, _CLOSING_DELAY_S)
            return
        if conversation not in self._tasks and len(self._tasks) >= self._most:
            await self._nak(bell, random.uniform(5.0, 15.0))  # noqa: S311 - spreads retries
            return
        held = self._held.setdefault(conversation, {})
        held[bell.seq] = bell if bell.reply else held.get(bell.seq, bell)
        if conversation not in self._tasks:
            self._tasks[conversation] = asyncio.create_task(self._work(conversation))

    @property
    def conversations(self) -> int:
        """How many conversations are being worked on."""
        return len(self._tasks)

    async def keep_alive(self) -> None:
        """Tells the broker again and again that the held bells are worked on, until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for bell in [bell for bells in self._held.values() for bell in bells.values()]:
                await self._answer(bell, b"+WPI")

    async def stop(self, grace_s: float) -> None:
        """Takes no more bells, lets the work end within the grace period, hands the rest back."""
        self._open = False
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            await end(late)
        for conversation in list(self._held):
            await self._hand_back(conversation, 0.0)

    async def _work(self, conversation: str) -> None:
        try:
            while self._held.get(conversation):
                await self._work_once(conversation)
        finally:
            self._tasks.pop(conversation, None)
            self._held.pop(conversation, None)

    async def _work_once(self, conversation: str) -> None:
        rung = max(self._held[conversation])
        try:
            done = await self._drain(conversation, lambda: max(self._held[conversation]))
        except Later as later:
            await self._hand_back(conversation, later.delay_s if self._open else _CLOSING_DELAY_S)
        except Busy:
            delay_s = random.uniform(2.0, 5.0) if self._open else _CLOSING_DELAY_S  # noqa: S311 - spreads retries
            await self._hand_back(conversation, delay_s)
        except BROKER_TROUBLE as error:
            log.warning("work put off, the broker is in trouble", error=type(error).__name__)
            await self._hand_back(conversation, _TROUBLE_DELAY_S)
        except asyncio.CancelledError:
            await self._hand_back(conversation, 0.0)
            raise
        except Exception:
            delay_s = self._after_failure(conversation)
            log.exception("work failed, it is tried again", conversation=conversation, delay_s=delay_s)
            await self._hand_back(conversation, delay_s)
        else:
            self._failed.pop(conversation, None)
            await self._settle(conversation, done, rung)

    def _after_failure(self, conversation: str) -> float:
        """How long the bells are handed back for: longer each time in a row that their work fails."""
        times = self._failed[conversation] = self._failed.get(conversation, 0) + 1
        return min(_MOST_TROUBLE_DELAY_S, _TROUBLE_DELAY_S * 2.0 ** min(times - 1, 16))

    async def _settle(self, conversation: str, done: int, rung: int) -> None:
        """Acks what is done; a bell the drain knew of and could not see done rings again later."""
        bells = self._held[conversation]
        for seq in [seq for seq in bells if seq <= done]:
            await self._answer(bells.pop(seq), b"+ACK")
        if any(seq <= rung for seq in bells):
            await self._hand_back(conversation, _TROUBLE_DELAY_S)

    async def _hand_back(self, conversation: str, delay_s: float) -> None:
        for bell in self._held.pop(conversation, {}).values():
            await self._nak(bell, delay_s)

    async def _nak(self, bell: Bell, delay_s: float) -> None:
        delay = json.dumps({"delay": int(delay_s * 1e9)}).encode()
        await self._answer(bell, b"-NAK " + delay if delay_s else b"-NAK")

    async def _answer(self, bell: Bell, word: bytes) -> None:
        if not bell.reply:
            return
        try:
            await self._bus.nc.publish(bell.reply, word)
        except BROKER_TROUBLE as error:
            log.info("bell not answered, it rings again", error=type(error).__name__)
