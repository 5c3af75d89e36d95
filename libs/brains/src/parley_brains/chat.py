"""A talk with an agent without any service: what a phone would show, and what its developer wants to know.

It follows the service that answers people: the same words of the file, the same limits, the same handoff. What
needs a channel (who may text at all, how often, when) is not part of it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parley_brains.agents import Agent
from parley_brains.answering import is_one_of, sendable
from parley_brains.brain import Attachment, BrainFailed, Exchange, File, Kind, Message, Said, Turn, newest
from parley_common.domain.bodies import bodies
from parley_common.domain.keywords import classify_keyword
from parley_common.domain.phone_numbers import Network
from parley_common.domain.refusals import is_refusal
from parley_common.domain.segments import count_segments
from parley_common.events import Usage
from parley_common.tail import MOST_PAST

MOST_PARTS = 10
_PHONE, _NUMBER = "+15555550100", "+15555550199"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One message as it comes to a phone: its parts, and the files that come with the first of them."""

    parts: tuple[str, ...]
    files: tuple[File, ...] = ()

    @property
    def segments(self) -> int:
        """What the parts are billed as by SMS."""
        return sum(count_segments(part).segments for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a text led to: messages for the person, ``notes`` for the developer, what a model took."""

    messages: tuple[Shown, ...] = ()
    notes: tuple[str, ...] = ()
    usage: Usage | None = None


@dataclass
class _State:
    """What the service keeps of a conversation."""

    memory: Mapping[str, str] = field(default_factory=dict)
    past: tuple[Exchange, ...] = ()
    greeted: bool = False
    taken: bool = False
    tokens: int = 0


class Chat:
    """One person's talk with an agent."""

    def __init__(self, agent: Agent, kind: Kind = Kind.SMS) -> None:
        self._file = agent.file
        self._brain = agent.brain
        self._kind = kind
        self._id = secrets.token_hex(8)
        self._turns = 0
        self._state = _State()

    @property
    def memory(self) -> Mapping[str, str]:
        """What the brain knows again at the next turn."""
        return self._state.memory

    def forget(self) -> None:
        """Whoever texts next is somebody new, in another conversation."""
        self._id = secrets.token_hex(8)
        self._turns = 0
        self._state = _State()

    async def say(self, text: str, attachments: Sequence[Attachment] = ()) -> Heard:
        """What comes back for a text."""
        self._turns += 1
        keyword = classify_keyword(text) if not attachments else None
        if keyword is not None:
            return Heard(notes=(f"Twilio acts on {text.strip().upper()} by itself; the agent is not asked",))
        if is_refusal(text):
            note = "this asks for no more texts: recorded as STOP is, and confirmed once"
            return Heard(messages=self._shown_words(self._file.refused), notes=(note,))
        if self._state.taken:
            return self._while_taken(text)
        if is_one_of(text, self._file.handoff.words):
            return self._hand_over(self._shown_words(self._file.handoff.reply))
        if self._file.daily_tokens and self._state.tokens >= self._file.daily_tokens:
            return Heard(messages=self._shown_words(self._file.capped), notes=("daily_tokens are used up",))
        return await self._ask(text, tuple(attachments))

    def _while_taken(self, text: str) -> Heard:
        handoff = self._file.handoff
        if is_one_of(text, handoff.back_words):
            self._state.taken = False
            return Heard(messages=self._shown_words(handoff.back_reply))
        words = ", ".join(handoff.back_words)
        how = f"{words} brings the agent back" if words else "parley hand-back brings the agent back"
        return Heard(notes=(f"a person answers now, not the agent; {how}",))

    def _hand_over(self, messages: tuple[Shown, ...], usage: Usage | None = None) -> Heard:
        self._state.taken = True
        until = f"for {self._file.handoff.back_after_h:g} h at most"
        return Heard(messages=messages, notes=(f"handed over to a person, {until}",), usage=usage)

    async def _ask(self, text: str, attachments: tuple[Attachment, ...]) -> Heard:
        within_s = self._file.reply.within_s
        try:
            async with asyncio.timeout(within_s):
                said = await self._brain.answer(self._turn(text, attachments))
        except BrainFailed as error:
            return self._failed(f"the brain failed: {error}", error.usage)
        except TimeoutError:
            return self._failed(f"the brain did not answer within {within_s:g} s (reply.within_s)")
        except Exception as error:
            return self._failed(f"the brain failed: {type(error).__name__}: {error}")
        return self._answered(text, said)

    def _turn(self, text: str, attachments: tuple[Attachment, ...]) -> Turn:
        past = self._state.past

        async def read_past(most: int = MOST_PAST) -> Sequence[Exchange]:
            return newest(past, most)

        return Turn(
            key=f"{self._id}-{self._turns}",
            channel="chat",
            conversation=self._id,
            contact=_PHONE if self._kind is Kind.SMS else f"whatsapp:{_PHONE}",
            recipient=_NUMBER if self._kind is Kind.SMS else f"whatsapp:{_NUMBER}",
            texts=(text,),
            kind=self._kind,
            attachments=attachments,
            is_first=not self._state.greeted,
            memory=self._state.memory,
            past=read_past,
        )

    def _answered(self, text: str, said: Said) -> Heard:
        self._count(said.usage)
        messages = sendable(said, most_characters=self._file.reply.most_characters)
        notes = () if messages else ("the brain said nothing",)
        if not messages and not said.silent:
            words = self._file.handoff.reply if said.hand_over else self._file.empty
            messages = (Message(text=words),)
        state = self._state
        state.greeted = True
        state.memory = state.memory if said.memory is None else dict(said.memory)
        exchange = Exchange(text=text, answers=tuple(one.text for one in messages))
        state.past = (*state.past, exchange)[-MOST_PAST:]
        shown = tuple(one for message in messages for one in self._shown(message))
        if said.hand_over:
            return self._hand_over(shown, said.usage)
        return Heard(messages=shown, notes=notes, usage=said.usage)

    def _failed(self, reason: str, usage: Usage | None = None) -> Heard:
        self._count(usage)
        return Heard(messages=self._shown_words(self._file.failure), notes=(reason,), usage=usage)

    def _count(self, usage: Usage | None) -> None:
        self._state.tokens += usage.input_tokens + usage.output_tokens if usage is not None else 0

    def _shown_words(self, text: str) -> tuple[Shown, ...]:
        return self._shown(Message(text=text))

    def _shown(self, message: Message) -> tuple[Shown, ...]:
        parts = bodies(message.text, Network(self._kind), most_parts=MOST_PARTS)
        return (Shown(parts=parts, files=message.files),) if parts or message.files else ()
