"""One turn: a range of texts in, one event that ends it out.

Order and once come from the chain that the event is appended to; whoever calls here may be a worker that others
think dead. What to answer is the brain's business, whether it is asked that of ``rulings``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter

from parley_agent import records
from parley_agent.asking import Asking, InDoubt
from parley_agent.lateness import Moment, Standing
from parley_agent.letters import bury_again, bury_text
from parley_agent.moments import Moments
from parley_agent.rulings import Answer, kind, ruling
from parley_agent.texts import Text, Unreadable, gather, read, read_range, skim
from parley_brains.agents import Agent
from parley_common import topology, tracing
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel, Channels
from parley_common.events import InboundMessage, TurnDone, TurnOutcome
from parley_common.tail import Tail, fold

log = structlog.get_logger(__name__)

_turns = Counter("parley_turns", "Turns ended, by outcome.", ["outcome"])


@dataclass(frozen=True, kw_only=True)
class Pace:
    """``gather_s``: how long after a text another joins its turn. ``reply_expiry_s``: how long replies keep.

    ``max_answer_age_s``: how old a text may be that is answered, 0 for any age.
    """

    gather_s: float
    reply_expiry_s: float
    max_answer_age_s: float


class Turns:
    """Takes turns with one agent."""

    def __init__(self, bus: Bus, agent: Agent, channels: Channels, *, pace: Pace, in_doubt: InDoubt) -> None:
        self._bus = bus
        self._words = agent.file
        self._asking = Asking(bus, agent, in_doubt)
        self._channels = channels
        self._gather_s = pace.gather_s
        self._expiry = timedelta(seconds=pace.reply_expiry_s)
        self._moments = Moments(bus, max_age_s=pace.max_answer_age_s)

    async def finish(self, tail: Tail) -> None:
        """Makes up for what the worker of the last turn may not have lived to do."""
        await bury_again(self._bus, tail)

    async def take(self, tail: Tail, first: Stored) -> Tail:
        """Deals with the texts from ``first`` on; returns the tail after them. Raises ``Superseded``."""
        moment = await self._moments.now()
        try:
            texts = await self._range(tail, read(first), moment)
        except Unreadable as error:
            done = records.unreadable(tail, error.stored, stamp=records.new_stamp())
            return await self._append(tail, done, error.stored, str(error))
        if tail.begun is not None and texts[0].seq > tail.begun.last:
            tail = replace(tail, begun=None)  # its texts are gone
        with tracing.span(
            "turn",
            SpanKind.CONSUMER,
            parent=tracing.extract(texts[0].stored.headers),
            links=tuple(tracing.link(text.stored.headers) for text in texts[1:]),
            attributes={"parley.conversation": texts[0].message.conversation, "parley.upto": texts[-1].seq},
        ):
            return await self._take(tail, texts, moment)

    async def _range(self, tail: Tail, first: Text, moment: Moment) -> tuple[Text, ...]:
        if tail.begun is not None and (begun := await read_range(self._bus, tail.begun)):
            return begun
        channel = self._channels.named(first.message.channel)
        if channel is None:
            return (first,)
        alike = kind(first.message, channel, moment)

        def joins(text: InboundMessage) -> bool:
            return kind(text, channel, moment) is alike

        if alike is Standing.FRESH:
            return await gather(self._bus, first, joins, self._gather_s)
        if isinstance(alike, Standing):
            return await skim(self._bus, first, joins)
        return (first,)

    async def _take(self, tail: Tail, texts: Sequence[Text], moment: Moment) -> Tail:
        message = texts[-1].message
        channel = self._channels.named(message.channel)
        if channel is None:
            sender, reason = message.recipient, "its channel does not exist"
            answer = Answer(outcome=TurnOutcome.FAILED, tally=tail.tally, dead_because=reason)
        else:
            sender = channel.sender_for(message.recipient)
            tail, answer = await self._answer(tail, texts, channel, moment)
        done = records.done(texts, answer, sender=sender, expiry=self._expiry, stamp=records.new_stamp())
        return await self._append(tail, done, texts[0].stored, answer.dead_because)

    async def _answer(
        self, tail: Tail, texts: Sequence[Text], channel: Channel, moment: Moment
    ) -> tuple[Tail, Answer]:
        messages = tuple(text.message for text in texts)
        ruled = ruling(messages, channel, tail.tally, moment, self._words)
        if ruled is None:
            return await self._asking.answer(tail, texts)
        if ruled.outcome is TurnOutcome.LOOP:
            log.warning(
                "too many answers in a row, is it a loop of two bots?", conversation=messages[0].conversation
            )
        return tail, ruled

    async def _append(self, tail: Tail, done: TurnDone, stored: Stored, dead_because: str | None) -> Tail:
        subject, chain = topology.turn_done(done.conversation), topology.own(done.conversation)
        tail = fold(done, await self._bus.append(subject, done, after=tail.seq, chain=chain))
        _turns.labels(done.outcome.value).inc()
        log.info("turn done", conversation=done.conversation, outcome=done.outcome.value, upto=done.upto)
        if dead_because is not None:
            await bury_text(self._bus, stored, dead_because, done.channel)
        return tail
