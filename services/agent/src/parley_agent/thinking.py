"""What a person texts while the brain thinks about their last texts: whether the turn is to begin anew.

A refusal always ends the thinking, also one that stands behind texts of another kind. Another text does where the
agent file says so, a few times a turn and in the first half of the time that an answer may take, so that half of
it is left to the brain. Texts are noticed by their bells, and by looking where those may have rung at another
agent. Nothing here is needed for order or for once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from parley_agent.policy import refuses
from parley_agent.texts import Joins, Later, Text, extended
from parley_common.background import end
from parley_common.bus import BROKER_TROUBLE
from parley_common.doorbells import Highest

MOST_RESTARTS = 3
LISTEN_EVERY_S = 0.2
LOOK_EVERY_S = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The texts that are one turn now, and whether one of them, or one behind them, is a refusal."""

    texts: tuple[Text, ...]
    refused: bool


class Thinking:
    """The time in which one turn is thought about, however often it begins anew. Only what is worked counts.

    ``within_s``: how long that may take. ``restarts``: whether any text has it begin anew.
    """

    def __init__(self, later: Later, joins: Joins, highest: Highest, *, within_s: float, restarts: bool) -> None:
        self._later = later
        self._joins = joins
        self._highest = highest
        self._within_s = within_s
        self._restarts_left = MOST_RESTARTS if restarts else 0
        self._left_s = within_s
        self._ends_s: float | None = None

    @property
    def left_s(self) -> float:
        """Seconds until the answer must be there. They pass while somebody works on it."""
        return self._left_s if self._ends_s is None else max(0.0, self._ends_s - time.monotonic())

    async def until_heard(self, texts: Sequence[Text], work: Coroutine[Any, Any, T]) -> T | Heard:
        """What the work returns, or what has the turn begin anew, or end; the work is then cancelled."""
        self._ends_s = time.monotonic() + self._left_s
        working, hearing = asyncio.ensure_future(work), asyncio.ensure_future(self._hear(texts))
        both: list[asyncio.Task[Any]] = [working, hearing]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                log.info("thinking ended by another text", conversation=texts[0].message.conversation)
                return hearing.result()
        finally:
            self._left_s, self._ends_s = self.left_s, None
            await end(both)
        heard = await self.look(texts)
        return heard if heard.refused else working.result()

    async def look(self, texts: Sequence[Text]) -> Heard:
        """What there is now; what was there before, while the broker is in trouble."""
        try:
            await self._later.read_on()
        except BROKER_TROUBLE as error:
            log.info("not heard what a person texts, the broker is in trouble", error=type(error).__name__)
        later = self._later.after(texts[-1].seq)
        refused = any(text is not None and refuses(text.message) for text in (*texts, *later))
        return Heard(texts=extended(texts, later, self._joins), refused=refused)

    async def _hear(self, texts: Sequence[Text]) -> Heard:
        """Ends once there is a text for which the turn is to begin anew, or to end."""
        known, looked_s = texts[-1].seq, time.monotonic()
        while True:
            await asyncio.sleep(LISTEN_EVERY_S)
            may_restart = self._may_restart()
            is_time = may_restart and time.monotonic() - looked_s >= LOOK_EVERY_S
            rung = self._highest()
            if rung <= known and not is_time:
                continue
            known, looked_s = max(known, rung), time.monotonic()
            heard = await self.look(texts)
            if heard.refused:
                return heard
            if may_restart and len(heard.texts) > len(texts):
                self._restarts_left -= 1
                return heard

    def _may_restart(self) -> bool:
        return self._restarts_left > 0 and self.left_s > self._within_s / 2
