"""One turn: a range of texts in, one event that ends it out.

Order and once come from the chain that the event is appended to; whoever calls here may be a worker that others
think dead. What to answer is the brain's business, whom to answer is policy's.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter

from parley_agent.brain import Brain, Turn
from parley_agent.policy import silence
from parley_agent.tail import Tail, fold
from parley_agent.texts import Text, Unreadable, gather, read, read_range
from parley_common import topology, tracing
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel, Channels
from parley_common.dead_letters import bury
from parley_common.doorbells import Busy
from parley_common.events import Reply, TurnBegun, TurnDone, TurnOutcome

MOST_ATTEMPTS = 3
MOST_CHARACTERS = 100_000
"""Of one answer: the broker takes a megabyte, and nobody reads as much on a phone."""

log = structlog.get_logger(__name__)

_turns = Counter("parley_turns", "Turns ended, by outcome.", ["outcome"])


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a turn ends: its outcome, the messages, and why it is a dead letter where it is one."""

    outcome: TurnOutcome
    messages: tuple[str, ...] = ()
    dead_because: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pace:
    """``gather_s``: how long after a text another joins its turn. ``reply_expiry_s``: how long replies keep."""

    gather_s: float
    reply_expiry_s: float


InDoubt = Callable[[], bool]
"""Whether others may already think this worker dead."""


class Turns:
    """Takes turns with one brain."""

    def __init__(self, bus: Bus, brain: Brain, channels: Channels, *, pace: Pace, in_doubt: InDoubt) -> None:
        self._bus = bus
        self._brain = brain
        self._channels = channels
        self._gather_s = pace.gather_s
        self._expiry = timedelta(seconds=pace.reply_expiry_s)
        self._in_doubt = in_doubt
        self._worker = secrets.token_hex(8)

    async def take(self, tail: Tail, first: Stored) -> Tail:
        """Deals with the texts from ``first`` on; returns the tail after them. Raises ``Superseded``."""
        try:
            texts = await self._range(tail, read(first))
        except Unreadable as error:
            return await self._bury(tail, first, str(error))
        if tail.begun is not None and texts[0].seq > tail.begun.last:
            tail = replace(tail, begun=None)  # its texts are gone
        channel = self._channels.named(texts[0].message.channel)
        with tracing.span(
            "turn",
            SpanKind.CONSUMER,
            parent=tracing.extract(texts[0].stored.headers),
            links=tuple(tracing.link(text.stored.headers) for text in texts[1:]),
            attributes={"parley.conversation": texts[0].message.conversation, "parley.texts": len(texts)},
        ):
            if channel is None:
                answer = Answer(outcome=TurnOutcome.FAILED, dead_because="its channel does not exist")
                return await self._end(tail, texts, answer, sender=texts[0].message.recipient)
            tail, answer = await self._answer(tail, texts, channel)
            return await self._end(tail, texts, answer, sender=channel.sender_for(texts[-1].message.recipient))

    async def _range(self, tail: Tail, first: Text) -> tuple[Text, ...]:
        if tail.begun is not None and (begun := await read_range(self._bus, tail.begun)):
            return begun
        channel = self._channels.named(first.message.channel)
        if channel is None or silence(first.message, channel) is not None:
            return (first,)
        return await gather(self._bus, first, channel, self._gather_s)

    async def _answer(self, tail: Tail, texts: tuple[Text, ...], channel: Channel) -> tuple[Tail, Answer]:
        quiet = silence(texts[0].message, channel)
        if quiet is not None:
            return tail, Answer(outcome=quiet)
        is_first = tail.is_new
        if self._brain.acts:
            attempt = tail.begun.attempt + 1 if tail.begun else 1
            if attempt > MOST_ATTEMPTS:
                return tail, self._failed("every attempt ended without an answer")
            self._refuse_in_doubt()
            tail = await self._begin(tail, texts, attempt)
            self._refuse_in_doubt()
        return tail, await self._ask(texts, is_first=is_first)

    def _refuse_in_doubt(self) -> None:
        """Whoever may have been taken over leaves the cost of asking to the other."""
        if self._in_doubt():
            raise Busy

    async def _begin(self, tail: Tail, texts: tuple[Text, ...], attempt: int) -> Tail:
        message = texts[0].message
        begun = TurnBegun(
            id=secrets.token_hex(16),
            at=datetime.now(UTC),
            channel=message.channel,
            conversation=message.conversation,
            upto=tail.upto,
            first=texts[0].seq,
            last=texts[-1].seq,
            attempt=attempt,
            worker=self._worker,
        )
        subject, chain = topology.turn_begun(message.conversation), topology.own(message.conversation)
        return fold(begun, await self._bus.append(subject, begun, after=tail.seq, chain=chain))

    async def _ask(self, texts: tuple[Text, ...], *, is_first: bool) -> Answer:
        messages = tuple(text.message for text in texts)
        turn = Turn(key=_key(texts[0]), texts=messages, is_first=is_first)
        try:
            answers = tuple(str(answer) for answer in await self._brain.answer(turn))
        except Exception as error:
            log.exception("the brain failed", conversation=texts[0].message.conversation)
            return self._failed(f"the brain failed: {type(error).__name__}")
        if sum(map(len, answers)) > MOST_CHARACTERS:
            return self._failed(f"the brain's answer is longer than {MOST_CHARACTERS} characters")
        return Answer(outcome=TurnOutcome.ANSWERED, messages=answers)

    def _failed(self, reason: str) -> Answer:
        return Answer(outcome=TurnOutcome.FAILED, messages=(self._brain.failure,), dead_because=reason)

    async def _end(self, tail: Tail, texts: tuple[Text, ...], answer: Answer, *, sender: str) -> Tail:
        now, message, key = datetime.now(UTC), texts[-1].message, _key(texts[0])
        if answer.dead_because:
            await bury(self._bus, texts[0].stored, answer.dead_because, service="agent", channel=message.channel)
        done = TurnDone(
            id=secrets.token_hex(16),
            at=now,
            channel=message.channel,
            conversation=message.conversation,
            upto=texts[-1].seq,
            first=texts[0].seq,
            outcome=answer.outcome,
            sender=sender,
            contact=message.contact,
            expires_at=now + self._expiry,
            messages=tuple(
                Reply(id=_digest(key, str(n)), text=text) for n, text in enumerate(answer.messages) if text.strip()
            ),
        )
        return await self._append_done(tail, done)

    async def _append_done(self, tail: Tail, done: TurnDone) -> Tail:
        subject, chain = topology.turn_done(done.conversation), topology.own(done.conversation)
        tail = fold(done, await self._bus.append(subject, done, after=tail.seq, chain=chain))
        _turns.labels(done.outcome.value).inc()
        log.info("turn done", conversation=done.conversation, outcome=done.outcome.value, upto=done.upto)
        return tail

    async def _bury(self, tail: Tail, stored: Stored, reason: str) -> Tail:
        """A text that cannot be read goes to the dead letters, and the conversation goes on."""
        await bury(self._bus, stored, f"not a readable text: {reason}", service="agent")
        now = datetime.now(UTC)
        done = TurnDone(
            id=secrets.token_hex(16),
            at=now,
            channel="",
            conversation=topology.conversation_of(stored.subject),
            upto=stored.seq,
            first=stored.seq,
            outcome=TurnOutcome.UNREADABLE,
            sender="",
            contact="",
            expires_at=now,
        )
        return await self._append_done(tail, done)


def _key(first: Text) -> str:
    """The turn's name, the same on every attempt: its conversation and the first text."""
    return _digest("turn", first.message.conversation, str(first.seq))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
