"""Has the brain answer a turn: each attempt of one that costs is recorded first, and none is made for ever."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from parley_agent import records
from parley_agent.allowance import after_answer
from parley_agent.brain import Brain, Turn
from parley_agent.rulings import Answer
from parley_agent.tail import Tail, fold
from parley_agent.texts import Text
from parley_common import topology
from parley_common.bus import Bus
from parley_common.doorbells import Busy
from parley_common.events import Tally, TurnOutcome

MOST_ATTEMPTS = 3
MOST_CHARACTERS = 100_000
"""Of one answer: the broker takes a megabyte, and nobody reads as much on a phone."""

InDoubt = Callable[[], bool]
"""Whether others may already think this worker dead."""

log = structlog.get_logger(__name__)


class Asking:
    """Asks one brain."""

    def __init__(self, bus: Bus, brain: Brain, in_doubt: InDoubt) -> None:
        self._bus = bus
        self._brain = brain
        self._in_doubt = in_doubt
        self._worker = secrets.token_hex(8)

    async def answer(self, tail: Tail, texts: Sequence[Text]) -> tuple[Tail, Answer]:
        """The brain's answer, and the tail after the attempt. Raises ``Busy`` where others may be at it."""
        if self._brain.acts:
            attempt = tail.begun.attempt + 1 if tail.begun else 1
            if attempt > MOST_ATTEMPTS:
                return tail, self._failed(tail.tally, "every attempt ended without an answer")
            self._refuse_in_doubt()
            tail = await self._begin(tail, texts, attempt)
            self._refuse_in_doubt()
        return tail, await self._ask(tail.tally, texts)

    def _refuse_in_doubt(self) -> None:
        """Whoever may have been taken over leaves the cost of asking to the other."""
        if self._in_doubt():
            raise Busy

    async def _begin(self, tail: Tail, texts: Sequence[Text], attempt: int) -> Tail:
        begun = records.begun(tail, texts, attempt=attempt, worker=self._worker, stamp=records.new_stamp())
        subject, chain = topology.turn_begun(begun.conversation), topology.own(begun.conversation)
        return fold(begun, await self._bus.append(subject, begun, after=tail.seq, chain=chain))

    async def _ask(self, tally: Tally, texts: Sequence[Text]) -> Answer:
        messages = tuple(text.message for text in texts)
        turn = Turn(key=records.key_of(texts[0]), texts=messages, is_first=not tally.greeted)
        try:
            answers = tuple(str(answer) for answer in await self._brain.answer(turn))
        except Exception as error:
            log.exception("the brain failed", conversation=texts[0].message.conversation)
            return self._failed(tally, f"the brain failed: {type(error).__name__}")
        if sum(map(len, answers)) > MOST_CHARACTERS:
            return self._failed(tally, f"the brain's answer is longer than {MOST_CHARACTERS} characters")
        tally = after_answer(tally, datetime.now(UTC), messages=len(answers), answered=True)
        return Answer(outcome=TurnOutcome.ANSWERED, tally=tally, messages=answers)

    def _failed(self, tally: Tally, reason: str) -> Answer:
        tally = after_answer(tally, datetime.now(UTC), messages=1, answered=False)
        messages = (self._brain.words.failure,)
        return Answer(outcome=TurnOutcome.FAILED, tally=tally, messages=messages, dead_because=reason)
