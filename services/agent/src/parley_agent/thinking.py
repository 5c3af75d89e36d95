"""What a person texts while the brain thinks about their last texts: whether the turn is to begin anew.

A refusal always ends the thinking. Another text does where the agent file says so, a few times a turn and in the
first half of the time that an answer may take, so that half of it is left to the brain. Texts are noticed by their
bells, and by looking where those may have rung at another agent. Nothing here is needed for order or for once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from parley_agent.policy import refuses
from parley_agent.texts import Joins, Text, extend
from parley_common.background import end
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.doorbells import Highest

MOST_RESTARTS = 3
LISTEN_EVERY_S = 0.2
LOOK_EVERY_S = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Thinking:
    """The time in which one turn is thought about, however often it begins anew.

    ``within_s``: how long that may take. ``restarts``: whether any text has it begin anew.
    """

    def __init__(self, bus: Bus, joins: Joins, highest: Highest, *, within_s: float, restarts: bool) -> None:
        self._bus = bus
        self._joins = joins
        self._highest = highest
        self._within_s = within_s
        self._restarts_left = MOST_RESTARTS if restarts else 0
        self._began_s = time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds until the answer must be there."""
        return max(0.0, self._began_s + self._within_s - time.monotonic())

    async def until_heard(self, texts: Sequence[Text], work: Coroutine[Any, Any, T]) -> T | tuple[Text, ...]:
        """What the work returns, or the texts for which the turn is to begin anew; the work is then cancelled."""
        working, hearing = asyncio.ensure_future(work), asyncio.ensure_future(self._hear(texts))
        both: list[asyncio.Task[Any]] = [working, hearing]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                log.info("thinking ended by another text", conversation=texts[0].message.conversation)
                return hearing.result()
        finally:
            await end(both)
        wider = await self._wider(texts)
        return wider if _refuse(wider) else working.result()

    async def _hear(self, texts: Sequence[Text]) -> tuple[Text, ...]:
        """Ends once there is a text for which the turn is to begin anew."""
        known, looked_s = texts[-1].seq, time.monotonic()
        while True:
            await asyncio.sleep(LISTEN_EVERY_S)
            may_restart = self._may_restart()
            is_time = may_restart and time.monotonic() - looked_s >= LOOK_EVERY_S
            rung = self._highest()
            if rung <= known and not is_time:
                continue
            known, looked_s = max(known, rung), time.monotonic()
            wider = await self._wider(texts)
            if _refuse(wider):
                return wider
            if may_restart and len(wider) > len(texts):
                self._restarts_left -= 1
                return wider

    def _may_restart(self) -> bool:
        return self._restarts_left > 0 and self.left_s > self._within_s / 2

    async def _wider(self, texts: Sequence[Text]) -> tuple[Text, ...]:
        try:
            return await extend(self._bus, texts, self._joins)
        except BROKER_TROUBLE as error:
            log.info("not heard what a person texts, the broker is in trouble", error=type(error).__name__)
            return tuple(texts)


def _refuse(texts: Sequence[Text]) -> bool:
    return any(refuses(text.message) for text in texts)
