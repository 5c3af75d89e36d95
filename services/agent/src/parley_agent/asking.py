"""Has the brain answer a turn: each attempt of one that costs is recorded first, and none is made for ever."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from parley_agent import records
from parley_agent.allowance import after_answer
from parley_agent.drafts import drafts
from parley_agent.media import MediaDesk, NoMedia
from parley_agent.media_in import Carried
from parley_agent.past import read_past
from parley_agent.rulings import Answer, Draft, handed_over
from parley_agent.texts import Text
from parley_agent.thinking import Thinking
from parley_brains.agents import Agent
from parley_brains.brain import BrainFailed, Kind, Said, Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.doorbells import Busy
from parley_common.events import Tally, TurnOutcome, Usage
from parley_common.tail import Tail, fold

MOST_ATTEMPTS = 3

InDoubt = Callable[[], bool]
"""Whether others may already think this worker dead."""

log = structlog.get_logger(__name__)


class Asking:
    """Asks one agent's brain."""

    def __init__(self, bus: Bus, agent: Agent, in_doubt: InDoubt, media: MediaDesk | NoMedia) -> None:
        self._bus = bus
        self._media = media
        self._file = agent.file
        self._brain = agent.brain
        self._in_doubt = in_doubt
        self._worker = secrets.token_hex(8)

    async def answer(
        self, tail: Tail, texts: Sequence[Text], thinking: Thinking
    ) -> tuple[Tail, Answer | tuple[Text, ...]]:
        """The brain's answer, or the texts with which the turn is to begin anew; and the tail after the attempt.

        Raises ``Busy`` where others may be at it.
        """
        if self._brain.acts:
            attempt = _attempt(tail, texts)
            if attempt > MOST_ATTEMPTS:
                return tail, self._failed(tail.tally, "every attempt ended without an answer")
            self._refuse_in_doubt()
            tail = await self._begin(tail, texts, attempt)
            self._refuse_in_doubt()
        return tail, await thinking.until_heard(texts, self._ask(tail.tally, texts, thinking.left_s))

    def _refuse_in_doubt(self) -> None:
        """Whoever may have been taken over leaves the cost of asking to the other."""
        if self._in_doubt():
            raise Busy

    async def _begin(self, tail: Tail, texts: Sequence[Text], attempt: int) -> Tail:
        begun = records.begun(tail, texts, attempt=attempt, worker=self._worker, stamp=records.new_stamp())
        subject, chain = topology.turn_begun(begun.conversation), topology.own(begun.conversation)
        return fold(begun, await self._bus.append(subject, begun, after=tail.seq, chain=chain))

    async def _ask(self, tally: Tally, texts: Sequence[Text], within_s: float) -> Answer:
        conversation = texts[0].message.conversation
        carried = await self._media.carried([text.message for text in texts])
        try:
            async with asyncio.timeout(within_s):
                said = await self._brain.answer(self._turn(tally, texts, carried))
            return self._answered(tally, await self._media.hosted(said, conversation))
        except BrainFailed as error:
            log.error("the brain failed", conversation=conversation, reason=str(error))
            return self._failed(tally, f"the brain failed: {error}", usage=error.usage)
        except TimeoutError:
            reason = f"the brain did not answer within {self._file.reply.within_s:g} s"
            log.error(reason, conversation=conversation)
            return self._failed(tally, reason)
        except Exception as error:
            log.exception("the brain failed", conversation=conversation)
            return self._failed(tally, f"the brain failed: {type(error).__name__}")

    def _turn(self, tally: Tally, texts: Sequence[Text], carried: Carried) -> Turn:
        message = texts[-1].message
        return Turn(
            key=records.turn_key(texts),
            channel=message.channel,
            conversation=message.conversation,
            contact=message.contact,
            recipient=message.recipient,
            texts=tuple(text.message.body for text in texts),
            kind=Kind.WHATSAPP if message.contact.startswith("whatsapp:") else Kind.SMS,
            attachments=carried.attachments,
            missing=carried.missing,
            is_first=not tally.greeted,
            profile_name=message.profile_name,
            memory=tally.memory,
            past=lambda: read_past(self._bus, message.conversation, tally.past),
        )

    def _answered(self, tally: Tally, said: Said) -> Answer:
        spoken = drafts(said, most_characters=self._file.reply.most_characters)
        messages = spoken or self._unspoken(said)
        tokens = _tokens(said.usage)
        tally = after_answer(tally, datetime.now(UTC), messages=len(messages), answered=True, tokens=tokens)
        if said.memory is not None:
            tally = msgspec.structs.replace(tally, memory=dict(said.memory))
        outcome = TurnOutcome.ANSWERED
        if said.hand_over:
            outcome, tally = TurnOutcome.HANDED_OVER, handed_over(tally, self._file.handoff, datetime.now(UTC))
        return Answer(outcome=outcome, tally=tally, messages=messages, usage=said.usage)

    def _unspoken(self, said: Said) -> tuple[Draft, ...]:
        """What is said for a brain that says nothing."""
        if said.silent:
            return ()
        words = self._file.handoff.reply if said.hand_over else self._file.empty
        return (Draft(words),) if words.strip() else ()

    def _failed(self, tally: Tally, reason: str, *, usage: Usage | None = None) -> Answer:
        tally = after_answer(tally, datetime.now(UTC), messages=1, answered=False, tokens=_tokens(usage))
        messages = (Draft(self._file.failure),)
        return Answer(outcome=TurnOutcome.FAILED, tally=tally, messages=messages, dead_because=reason, usage=usage)


def _attempt(tail: Tail, texts: Sequence[Text]) -> int:
    """Which attempt this is: the same as before where the turn begins anew because more was texted."""
    if tail.begun is None:
        return 1
    return tail.begun.attempt + (texts[-1].seq <= tail.begun.last)


def _tokens(usage: Usage | None) -> int:
    return usage.input_tokens + usage.output_tokens if usage is not None else 0
