"""One part on its way to Twilio: evidence if it is in doubt, a slot, consent, the attempt, the POST, the record.

Every step appends to the conversation's chain and raises ``Superseded`` where another process was faster.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter

from parley_common import topology, tracing
from parley_common.bus import Bus
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.domain.segments import count_segments
from parley_common.doorbells import Busy
from parley_common.events import ConsentCause, ConsentChanged, Evidence, FailureClass, PartAttempted, SendEvent
from parley_common.leases import boot_clock_s
from parley_egress import records
from parley_egress.backoff import delay_s
from parley_egress.chain import End, Standing, fold
from parley_egress.desk import Desk, Grant, Priority
from parley_egress.evidence import Absent, Doubt, Evidences, Proof, Undecided, rest_for
from parley_egress.outcome import Created, InDoubt, NotSent, Outcome
from parley_egress.ownership import Ownership
from parley_egress.parts import Part
from parley_egress.twilio_api import Text, TwilioApi

POST_WITHIN_S = 5.0
"""A POST starts within this time after its attempt was asked for, or not at all."""

log = structlog.get_logger(__name__)

_parts = Counter("parley_parts", "Parts of replies, by what came of each attempt.", ["outcome"])

_EXPIRED = NotSent(failure=FailureClass.EXPIRED, final=True, reason="it expired before it could be sent")
_OPTED_OUT = NotSent(failure=FailureClass.OPTED_OUT, final=True, reason="the person said STOP to this sender")
_NO_CHANNEL = NotSent(failure=FailureClass.CONFIGURATION, final=True, reason="its channel does not exist")
_UNDECIDED = NotSent(
    failure=FailureClass.UNDECIDED, final=True, reason="nobody can tell whether Twilio has it; look in its log"
)
_TOO_LATE = NotSent(failure=FailureClass.UNREACHABLE, final=False, reason="no POST: the attempt was too old")


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What sending works with."""

    bus: Bus
    channels: Channels
    ownership: Ownership
    api: TwilioApi
    consent: ConsentLedger
    evidences: Evidences


class Sending:
    """Sends parts for the senders that this process owns."""

    def __init__(self, tools: Tools) -> None:
        self._bus = tools.bus
        self._channels = tools.channels
        self._ownership = tools.ownership
        self._api = tools.api
        self._consent = tools.consent
        self._evidences = tools.evidences
        self._worker = secrets.token_hex(8)
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Begins nothing more; what is at Twilio already is still recorded."""
        self._closing.set()
        self._ownership.close()

    async def advance(self, part: Part, end: End) -> End:
        """Takes the part one step further and returns the chain's new end. Raises ``Busy``, ``Superseded``."""
        done = part.turn.done
        channel = self._channels.named(done.channel)
        if channel is None:
            return await self._fail(part, end, _UNDECIDED if end.standing is Standing.IN_DOUBT else _NO_CHANNEL)
        if end.standing is Standing.IN_DOUBT and (settled := await self._settle(channel, part, end)) is not None:
            return settled
        if end.standing is Standing.TRY_AGAIN:
            await self._rest(delay_s(part.attempts, random.random()))  # noqa: S311 - spreads retries
        with tracing.span(
            "send part",
            SpanKind.PRODUCER,
            parent=tracing.extract(part.turn.headers),
            attributes={"parley.conversation": done.conversation, "parley.part_id": part.part_id},
        ):
            grant = await self._desk(channel, part).slot(Priority.REPLY, count_segments(part.body).segments)
            try:
                async with self._api.room(channel):
                    return await self._send(channel, part, end, grant)
            finally:
                grant.give_back()

    async def _send(self, channel: Channel, part: Part, end: End, grant: Grant) -> End:
        """With a slot in hand: a last look at evidence, expiry and consent, the attempt, the POST, the record."""
        self._desk(channel, part)
        doubted = end.event if isinstance(end.event, PartAttempted) and end.event.slot == part.slot else None
        if doubted is not None and (proof := await self._evidences.callback(doubted)) is not None:
            return await self._proven(doubted, end, proof)
        refusal = await self._refusal(part)
        if refusal is not None:
            return await self._fail(part, end, refusal)
        asked_at_s = boot_clock_s()
        attempt = records.attempted(part, self._stamp(), in_doubt=doubted is not None)
        end = await self._append(attempt, end)
        await grant.pay()
        if boot_clock_s() - asked_at_s > POST_WITHIN_S:
            return await self._fail(part, end, _TOO_LATE)
        posted_at = datetime.now(UTC)
        outcome = await self._api.send(channel, _text(part, posted_at))
        if isinstance(outcome, NotSent) and outcome.failure is FailureClass.OPTED_OUT:
            await self._consent.record(_opt_out(part, posted_at))
        return await self._record(part, attempt, end, outcome)

    async def _refusal(self, part: Part) -> NotSent | None:
        """Why the part is not to be sent any more."""
        done = part.turn.done
        if done.expires_at <= datetime.now(UTC):
            return _EXPIRED
        return None if await self._consent.granted(done.sender, done.contact) else _OPTED_OUT

    async def _record(self, part: Part, attempt: PartAttempted, end: End, outcome: Outcome) -> End:
        _parts.labels(type(outcome).__name__).inc()
        match outcome:
            case Created():
                log.info("part sent", part_id=part.part_id, sid=outcome.sid)
                return await self._append(
                    records.sent(attempt, end.seq, outcome, Evidence.RESPONSE, self._stamp()), end
                )
            case NotSent():
                return await self._fail(part, end, outcome)
            case InDoubt():
                log.warning("part in doubt", part_id=part.part_id, reason=outcome.reason)
                return end

    async def _settle(self, channel: Channel, part: Part, end: End) -> End | None:
        """The chain's end once the part in doubt is settled; None where it may be sent again."""
        attempt = end.event
        if not isinstance(attempt, PartAttempted) or attempt.slot != part.slot:
            return None  # its turn is gone, and with it all that could be sent again
        doubt = Doubt(
            attempt=attempt,
            seq=end.seq,
            stored_at=end.stored_at,
            expires_at=part.turn.done.expires_at,
            channel=channel,
        )
        match await self._evidences.settle(doubt, self._rest):
            case Proof() as proof:
                return await self._proven(attempt, end, proof)
            case Undecided():
                return await self._fail(part, end, _UNDECIDED)
            case Absent():
                log.warning("no evidence of the part in doubt, it is sent again", part_id=attempt.part_id)
                return None

    async def _proven(self, attempt: PartAttempted, end: End, proof: Proof) -> End:
        log.info("part in doubt was sent", part_id=attempt.part_id, sid=proof.sid, evidence=proof.evidence.value)
        created = Created(sid=proof.sid, status=proof.status)
        return await self._append(records.sent(attempt, end.seq, created, proof.evidence, self._stamp()), end)

    async def _rest(self, delay_s: float) -> None:
        """Sleeps, or raises ``Busy`` where the process is to stop."""
        if await rest_for(delay_s, self._closing):
            raise Busy

    async def _fail(self, part: Part, end: End, outcome: NotSent) -> End:
        seq = end.seq if isinstance(end.event, PartAttempted) else 0
        log.warning("part not sent", part_id=part.part_id, failure=outcome.failure.value, code=outcome.code)
        return await self._append(records.failed(part, seq, outcome, self._stamp()), end)

    async def _append(self, event: SendEvent, end: End) -> End:
        subject = topology.sends(event.conversation)
        seq = await self._bus.append(subject, event, after=end.seq, chain=subject)
        return fold(event, seq, datetime.now(UTC))

    def _desk(self, channel: Channel, part: Part) -> Desk:
        desk = self._ownership.desk(channel, part.turn.done.sender)
        if desk is None or self._closing.is_set():
            raise Busy
        return desk

    def _stamp(self) -> records.Stamp:
        return records.Stamp(id=secrets.token_hex(16), at=datetime.now(UTC), worker=self._worker)


def _text(part: Part, posted_at: datetime) -> Text:
    done = part.turn.done
    return Text(
        part_id=part.part_id,
        sender=done.sender,
        contact=done.contact,
        body=part.body,
        posted_at=posted_at,
        media_urls=tuple(media.url for media in part.media),
    )


def _opt_out(part: Part, posted_at: datetime) -> ConsentChanged:
    """What a 21610 teaches, as of its POST: a START that came later still counts."""
    done = part.turn.done
    return ConsentChanged(
        id=f"consent-{part.part_id}",
        at=posted_at,
        channel=done.channel,
        conversation=done.conversation,
        scope=done.sender,
        contact=done.contact,
        granted=False,
        cause=ConsentCause.TWILIO_21610,
    )
