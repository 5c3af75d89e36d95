"""One turn: a range of texts in, one event that ends it out.

Order and once come from the chain that the event is appended to; whoever calls here may be a worker that others
think dead. What to answer is the brain's business, whether it is asked that of ``rulings``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from opentelemetry.trace import Span, SpanKind
from prometheus_client import Counter, Gauge, Histogram

from parley_agent import records
from parley_agent.asking import Asking, InDoubt
from parley_agent.lateness import Moment, Standing
from parley_agent.letters import bury_again, bury_text
from parley_agent.media.desk import MediaDesk, NoMedia
from parley_agent.moments import Moments
from parley_agent.refusing import Refusing
from parley_agent.rulings import Answer, Case, joins, kind, ruling, settled
from parley_agent.spending import Spent
from parley_agent.texts import Joins, Later, Text, Unreadable, gather, read, read_range, skim
from parley_agent.thinking import Thinking
from parley_brains.agent_file import WhileThinking
from parley_brains.agents import Agent
from parley_common import topology, tracing, tracing_attributes
from parley_common.bus import Bus, Stored, Superseded
from parley_common.channels import Channels
from parley_common.doorbells import Busy, Highest
from parley_common.events import TurnDone, TurnOutcome
from parley_common.identity import Identity
from parley_common.metrics import WORK_BUCKETS_S, begin, exemplar
from parley_common.tail import Tail, fold

log = structlog.get_logger(__name__)

_TEXTS = topology.texts("{conversation}")

_turns = Counter("parley_turns", "Turns ended, by outcome.", ["outcome"])
_thinking = Gauge("parley_thinking", "Turns under way, those included that wait for more texts.")
_seconds = Histogram(
    "parley_answer_seconds", "From the first text of a turn stored to its end stored.", buckets=WORK_BUCKETS_S
)
begin(_turns, TurnOutcome)


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

    def __init__(
        self,
        bus: Bus,
        agent: Agent,
        channels: Channels,
        *,
        identity: Identity,
        pace: Pace,
        in_doubt: InDoubt,
        media: MediaDesk | None = None,
    ) -> None:
        self._bus = bus
        self._file = agent.file
        self._asking = Asking(bus, agent, in_doubt, media or NoMedia())
        self._refusing = Refusing(bus, identity)
        self._channels = channels
        self._owed: dict[str, int] = {}
        self._gather_s = pace.gather_s
        self._expiry = timedelta(seconds=pace.reply_expiry_s)
        self._moments = Moments(bus, max_age_s=pace.max_answer_age_s)

    async def finish(self, tail: Tail) -> None:
        """Makes up for what the worker of the last turn may not have lived to do."""
        await bury_again(self._bus, tail)

    async def take(self, tail: Tail, first: Stored, highest: Highest) -> Tail:
        """Deals with the texts from ``first`` on; returns the tail after them. Raises ``Superseded``.

        ``highest``: the sequence of the newest text that a bell has told of.
        """
        conversation = topology.conversation_of(first.subject)
        spent = Spent(self._owed.pop(conversation, 0))
        try:
            with _thinking.track_inprogress():
                return await self._take_counting(tail, first, highest, spent)
        finally:
            if spent.unwritten:  # somebody else wrote: what the model took is counted with the next turn
                self._owed[conversation] = spent.unwritten

    async def _take_counting(self, tail: Tail, first: Stored, highest: Highest, spent: Spent) -> Tail:
        moment = await self._moments.now()
        tail = replace(tail, tally=settled(tail.tally, moment.now))
        try:
            text = read(first)
            case = await self._case(tail, text, moment)
            texts = await self._range(tail, text, case)
        except Unreadable as error:
            done = records.unreadable(tail, error.stored, stamp=records.new_stamp())
            with _span(topology.conversation_of(error.stored.subject), (error.stored,)):
                return await self._append(tail, done, error.stored, str(error))
        if tail.begun is not None and texts[0].seq > tail.begun.last:
            tail = replace(tail, begun=None)  # its texts are gone
        with _span(texts[0].message.conversation, [text.stored for text in texts]):
            return await self._take(tail, texts, case, highest, spent)

    async def _case(self, tail: Tail, text: Text, moment: Moment) -> Case | None:
        """What rules look at; None where the text's channel is gone."""
        channel = self._channels.named(text.message.channel)
        if channel is None:
            return None
        known = channel.people_may_start or tail.tally.greeted
        if not known:
            known = await self._texted_first(text.message.conversation)
        return Case(channel=channel, tally=tail.tally, moment=moment, file=self._file, known=known)

    async def _texted_first(self, conversation: str) -> bool:
        """Whether anything was ever texted to the person without a turn."""
        for subject in topology.all_outbound(conversation):
            if await self._bus.last(subject) is not None:
                return True
        return False

    async def _range(self, tail: Tail, first: Text, case: Case | None) -> tuple[Text, ...]:
        if tail.begun is not None and (begun := await read_range(self._bus, tail.begun)):
            return begun
        if case is None:
            return (first,)
        alike = kind(first.message, case)
        if alike is Standing.FRESH:
            return await gather(self._bus, first, _joining(alike, case), self._gather_s)
        if isinstance(alike, Standing) or alike is TurnOutcome.TAKEN:
            return await skim(self._bus, first, _joining(alike, case))
        return (first,)

    async def _take(
        self, tail: Tail, texts: Sequence[Text], case: Case | None, highest: Highest, spent: Spent
    ) -> Tail:
        if case is None:
            sender, reason = texts[-1].message.recipient, "its channel does not exist"
            answer = Answer(outcome=TurnOutcome.FAILED, tally=spent.counted(tail.tally), dead_because=reason)
        else:
            begun_with = len(texts)
            tail, texts, answer = await self._answer(tail, texts, case, highest, spent)
            _link([text.stored for text in texts[begun_with:]])
            sender = case.channel.sender_for(texts[-1].message.recipient)
        answer = replace(answer, usage=spent.usage)
        done = records.done(texts, answer, sender=sender, expiry=self._expiry, stamp=records.new_stamp())
        tail = await self._append(tail, done, texts[0].stored, answer.dead_because)
        spent.written()
        return tail

    async def _answer(
        self, tail: Tail, texts: Sequence[Text], case: Case, highest: Highest, spent: Spent
    ) -> tuple[Tail, Sequence[Text], Answer]:
        """The answer, with the texts that it is an answer to: more may have come while the brain thought."""
        thinking = Thinking(
            Later(self._bus, texts[-1]),
            _joining(Standing.FRESH, case),
            highest,
            within_s=self._file.reply.within_s,
            restarts=self._file.while_thinking is WhileThinking.RESTART,
        )
        is_looked = False
        while True:
            case = replace(case, tally=spent.counted(tail.tally))
            ruled = ruling(tuple(text.message for text in texts), case)
            if ruled is not None:
                _tell(ruled, texts[0].message.conversation)
                return tail, texts, await self._ruled(ruled, case)
            if not is_looked:
                is_looked, heard = True, await thinking.look(texts)
                opted_out = heard.refused or await self._refusing.stands(texts[-1].message, case.channel)
                case = replace(case, opted_out=opted_out)
                texts = heard.texts if heard.refused else texts
                continue
            tail, answer = await self._asking.answer(tail, texts, thinking, spent)
            if isinstance(answer, Answer):
                return tail, texts, answer
            texts, case = answer.texts, replace(case, opted_out=answer.refused)

    async def _ruled(self, answer: Answer, case: Case) -> Answer:
        """The answer once what it tells has been written down."""
        if answer.refusal is not None:
            change = await self._refusing.record(answer.refusal, case.channel)
            if change is None:
                return replace(answer, messages=(), tally=case.tally)
            return replace(answer, confirms=change)
        return answer

    async def _append(self, tail: Tail, done: TurnDone, stored: Stored, dead_because: str | None) -> Tail:
        subject, chain = topology.turn_done(done.conversation), topology.own(done.conversation)
        tail = fold(done, await self._bus.append(subject, done, after=tail.seq, chain=chain))
        span = tracing.current()
        span.set_attributes({"parley.outcome": done.outcome.value, "parley.upto": done.upto})
        if dead_because is not None:
            tracing.fail(span, done.outcome.value)
        _turns.labels(done.outcome.value).inc()
        _seconds.observe(max(0.0, (datetime.now(UTC) - stored.time).total_seconds()), exemplar())
        log.info("turn done", conversation=done.conversation, outcome=done.outcome.value, upto=done.upto)
        if dead_because is not None:
            await bury_text(self._bus, stored, dead_because, done.channel)
        return tail


def _span(conversation: str, texts: Sequence[Stored]) -> AbstractContextManager[Span]:
    """The span of a turn: below the webhook of its first text, with links to those of the others."""
    cause = tracing.cause(texts[0].headers, texts[0].time)
    of_message = tracing_attributes.processing(
        _TEXTS, topology.AGENT_BELLS, message_id=texts[0].dedupe_id, count=len(texts)
    )
    return tracing.span(
        "turn",
        SpanKind.CONSUMER,
        parent=cause.parent,
        links=(*cause.links, *(tracing.link(text.headers) for text in texts[1:])),
        attributes={"parley.conversation": conversation, **of_message},
        spared=(Busy, Superseded),
    )


def _link(texts: Sequence[Stored]) -> None:
    """Links the turn to texts that came while it was under way."""
    for text in texts:
        tracing.current().add_link(tracing.link(text.headers).context)


def _joining(first: TurnOutcome | Standing, case: Case) -> Joins:
    return lambda text: joins(text, first, case)


def _tell(answer: Answer, conversation: str) -> None:
    if answer.outcome is TurnOutcome.LOOP:
        log.warning("too many answers in a row, is it a loop of two bots?", conversation=conversation)
