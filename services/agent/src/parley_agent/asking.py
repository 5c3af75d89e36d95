"""Has the brain answer a turn: each attempt of one that costs is recorded first, and none is made for ever."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
import structlog
from prometheus_client import Histogram

from parley_agent import records
from parley_agent.allowance import after_answer
from parley_agent.drafts import drafts
from parley_agent.media.desk import MediaDesk, NoMedia
from parley_agent.media.incoming import Carried
from parley_agent.past import read_past
from parley_agent.rulings import Answer, Draft, handed_over
from parley_agent.spending import Spent
from parley_agent.texts import Text
from parley_agent.thinking import Heard, Thinking
from parley_brains.agents import Agent
from parley_brains.brain import BrainFailed, Kind, Said, Turn, newest
from parley_common import topology
from parley_common.bus import Bus
from parley_common.domain.phone_numbers import Network, network_of
from parley_common.doorbells import Busy
from parley_common.events import Tally, TurnOutcome
from parley_common.metrics import WORK_BUCKETS_S, begin, exemplar
from parley_common.tail import MOST_PAST, Tail, fold

MOST_ATTEMPTS = 3

_FOR_ATTACHMENTS = 0.3
_FOR_THE_PAST = 0.2
_FOR_FILES = 0.1
"""Shares of the time for an answer: what its attachments and the turns before may take of what is left, and what
its files have at least. All else is the brain's."""

InDoubt = Callable[[], bool]
"""Whether others may already think this worker dead."""

log = structlog.get_logger(__name__)

_seconds = Histogram(
    "parley_brain_seconds", "How long a brain took for a turn.", ["brain", "outcome"], buckets=WORK_BUCKETS_S
)


class BrainOutcome(StrEnum):
    """What came of asking a brain."""

    ANSWERED = "answered"
    FAILED = "failed"
    TIMEOUT = "timeout"
    """The time for the answer was over."""
    CANCELLED = "cancelled"
    """Another text ended the thinking, or the agent stopped."""


class Asking:
    """Asks one agent's brain."""

    def __init__(self, bus: Bus, agent: Agent, in_doubt: InDoubt, media: MediaDesk | NoMedia) -> None:
        self._bus = bus
        self._media = media
        self._file = agent.file
        self._brain = agent.brain
        self._brain_name = agent.brain_name
        begin(_seconds, (agent.brain_name,), BrainOutcome)
        self._in_doubt = in_doubt
        self._worker = secrets.token_hex(8)

    async def answer(
        self, tail: Tail, texts: Sequence[Text], thinking: Thinking, spent: Spent
    ) -> tuple[Tail, Answer | Heard]:
        """The brain's answer, or what was heard before there was one; and the tail after the attempt.

        ``spent`` counts what a model took for it. Raises ``Busy`` where others may be at it.
        """
        spent.begin()
        if self._brain.acts:
            attempt = _attempt(tail, texts)
            if attempt > MOST_ATTEMPTS:
                return tail, self._failed(tail.tally, spent, "every attempt ended without an answer")
            self._refuse_in_doubt()
            tail = await self._begin(replace(tail, tally=spent.counted(tail.tally)), texts, attempt)
            spent.written()
            self._refuse_in_doubt()
        return tail, await thinking.until_heard(texts, self._ask(tail.tally, texts, thinking, spent))

    def _refuse_in_doubt(self) -> None:
        """Whoever may have been taken over leaves the cost of asking to the other."""
        if self._in_doubt():
            raise Busy

    async def _begin(self, tail: Tail, texts: Sequence[Text], attempt: int) -> Tail:
        begun = records.begun(tail, texts, attempt=attempt, worker=self._worker, stamp=records.new_stamp())
        subject, chain = topology.turn_begun(begun.conversation), topology.own(begun.conversation)
        return fold(begun, await self._bus.append(subject, begun, after=tail.seq, chain=chain))

    async def _ask(self, tally: Tally, texts: Sequence[Text], thinking: Thinking, spent: Spent) -> Answer:
        conversation, limit = texts[0].message.conversation, asyncio.timeout(thinking.left_s)
        try:
            async with limit:
                said = await self._said(tally, texts, thinking, spent, limit)
            files_s = max(thinking.left_s, self._file.reply.within_s * _FOR_FILES)
            return self._answered(tally, spent, await self._media.hosted(said, conversation, within_s=files_s))
        except BrainFailed as error:
            log.error("the brain failed", conversation=conversation, reason=str(error))
            spent.settle(error.usage)
            return self._failed(tally, spent, f"the brain failed: {error}")
        except Exception as error:
            if limit.expired():
                reason = f"the brain did not answer within {self._file.reply.within_s:g} s"
                log.error(reason, conversation=conversation)
                return self._failed(tally, spent, reason)
            log.exception("the brain failed", conversation=conversation)
            return self._failed(tally, spent, f"the brain failed: {type(error).__name__}")

    async def _said(
        self, tally: Tally, texts: Sequence[Text], thinking: Thinking, spent: Spent, limit: asyncio.Timeout
    ) -> Said:
        messages = [text.message for text in texts]
        carried = await self._media.carried(messages, within_s=thinking.left_s * _FOR_ATTACHMENTS)
        turn = self._turn(tally, texts, carried)
        with self._timed(limit):
            said = await self._brain.answer(replace(turn, within_s=thinking.left_s, spent=spent.add))
        spent.settle(said.usage)
        return said

    @contextmanager
    def _timed(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Measures how long the brain takes, and notes what came of it."""
        begun_s, outcome = time.monotonic(), BrainOutcome.FAILED
        try:
            yield
            outcome = BrainOutcome.ANSWERED
        except asyncio.CancelledError:
            outcome = BrainOutcome.TIMEOUT if limit.expired() else BrainOutcome.CANCELLED
            raise
        except BrainFailed as error:
            outcome = BrainOutcome.TIMEOUT if error.timed_out else BrainOutcome.FAILED
            raise
        finally:
            _seconds.labels(self._brain_name, outcome).observe(time.monotonic() - begun_s, exemplar())

    def _turn(self, tally: Tally, texts: Sequence[Text], carried: Carried) -> Turn:
        message, past_s = texts[-1].message, self._file.reply.within_s * _FOR_THE_PAST
        return Turn(
            key=records.turn_key(texts),
            channel=message.channel,
            conversation=message.conversation,
            contact=message.contact,
            recipient=message.recipient,
            texts=tuple(text.message.body for text in texts),
            kind=Kind.WHATSAPP if network_of(message.contact) is Network.WHATSAPP else Kind.SMS,
            attachments=carried.attachments,
            missing=carried.missing,
            is_first=not tally.greeted,
            profile_name=message.profile_name,
            memory=tally.memory,
            past=lambda most=MOST_PAST: read_past(
                self._bus, message.conversation, newest(tally.past, most), within_s=past_s
            ),
        )

    def _answered(self, tally: Tally, spent: Spent, said: Said) -> Answer:
        spoken = drafts(said, most_characters=self._file.reply.most_characters)
        messages = spoken or self._unspoken(said)
        tally = after_answer(
            tally, datetime.now(UTC), messages=len(messages), answered=True, tokens=spent.unwritten
        )
        if said.memory is not None:
            tally = msgspec.structs.replace(tally, memory=dict(said.memory))
        outcome = TurnOutcome.ANSWERED
        if said.hand_over:
            outcome, tally = TurnOutcome.HANDED_OVER, handed_over(tally, self._file.handoff, datetime.now(UTC))
        return Answer(outcome=outcome, tally=tally, messages=messages)

    def _unspoken(self, said: Said) -> tuple[Draft, ...]:
        """What is said for a brain that says nothing."""
        if said.silent:
            return ()
        words = self._file.handoff.reply if said.hand_over else self._file.empty
        return (Draft(words),) if words.strip() else ()

    def _failed(self, tally: Tally, spent: Spent, reason: str) -> Answer:
        tally = after_answer(tally, datetime.now(UTC), messages=1, answered=False, tokens=spent.unwritten)
        messages = (Draft(self._file.failure),)
        return Answer(outcome=TurnOutcome.FAILED, tally=tally, messages=messages, dead_because=reason)


def _attempt(tail: Tail, texts: Sequence[Text]) -> int:
    """Which attempt this is: the same as before where the turn begins anew because more was texted."""
    if tail.begun is None:
        return 1
    return tail.begun.attempt + (texts[-1].seq <= tail.begun.last)
