"""One part on its way to Twilio: evidence if it is in doubt, a slot, consent, the attempt, the POST, the record.

Every step appends to the conversation's chain and raises ``Superseded`` where another process was faster.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from parley_common import tracing
from parley_common.bus import Bus
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.control import Switches
from parley_common.domain.segments import count_segments
from parley_common.doorbells import Bell, Busy, Later
from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    Evidence,
    FailureClass,
    PartAttempted,
    PartSent,
    SendEvent,
    encode,
)
from parley_common.leases import boot_clock_s
from parley_egress import due, records, refusals
from parley_egress.accounts import Accounts, Gate
from parley_egress.backoff import delay_s
from parley_egress.chain import End, Standing, fold
from parley_egress.desk import Claim, Desk, Grant
from parley_egress.evidence import Absent, Doubt, Evidences, Proof, Undecided, rest_for
from parley_egress.forwarding import forward
from parley_egress.metrics import IN_DOUBT, PARTS, RATE_WAIT, count_failure, note_reply
from parley_egress.outcome import ACTIONS, Action, Created, InDoubt, NotSent, Outcome
from parley_egress.ownership import Ownership
from parley_egress.parts import Part
from parley_egress.refusals import Refusals
from parley_egress.spans import send_span, settle_span
from parley_egress.twilio_api import Text, TwilioApi

POST_WITHIN_S = 5.0
"""A POST starts within this time after its attempt was asked for, or not at all."""

_MOST_LATER_S = 300.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What sending works with."""

    bus: Bus
    channels: Channels
    ownership: Ownership
    accounts: Accounts
    switches: Switches
    api: TwilioApi
    consent: ConsentLedger
    evidences: Evidences


class Sending:
    """Sends parts for the senders that this process owns."""

    def __init__(self, tools: Tools) -> None:
        self._bus = tools.bus
        self._channels = tools.channels
        self._ownership = tools.ownership
        self._accounts = tools.accounts
        self._switches = tools.switches
        self._gate = Gate(tools.switches, tools.accounts)
        self._api = tools.api
        self._consent = tools.consent
        self._refusals = Refusals(tools.bus, tools.consent)
        self._evidences = tools.evidences
        self._worker = secrets.token_hex(8)
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Begins nothing more; what is at Twilio already is still recorded."""
        self._closing.set()
        self._ownership.close()

    async def advance(self, part: Part, end: End) -> End:
        """Takes the part one step further and returns the chain's new end.

        Raises ``Busy``, ``Later`` where it is not due, ``Superseded``.
        """
        event = part.origin.event
        channel = self._channels.named(event.channel)
        if channel is None:
            in_doubt = end.standing is Standing.IN_DOUBT
            return await self._give_up(None, part, end, refusals.UNDECIDED if in_doubt else refusals.NO_CHANNEL)
        if end.standing is Standing.IN_DOUBT and (settled := await self._settle(channel, part, end)) is not None:
            return settled
        if self._is_unsure(part, end):
            return await self._append(records.attempted(part, self._stamp(), in_doubt=False), end)
        if event.expires_at <= datetime.now(UTC) and end.standing is not Standing.IN_DOUBT:
            return await self._give_up(channel, part, end, refusals.EXPIRED)
        await self._leave_until_due(channel, part, end)
        if end.failure is not None and ACTIONS[end.failure].action is Action.RETRY:
            await self._rest(delay_s(part.attempts, random.random()))  # noqa: S311 - spreads retries
        await self._leave_to_owner(channel, part)
        with send_span(part, channel) as span:
            asked_at_s = time.monotonic()
            grant = await self._desk(channel, part).slot(_claim(part))
            waited_s = time.monotonic() - asked_at_s
            RATE_WAIT.labels(part.origin.priority).observe(waited_s)
            span.set_attribute("parley.rate_wait_s", round(waited_s, 3))
            try:
                async with self._accounts.of(channel).places:
                    return await self._send(channel, part, end, grant)
            finally:
                grant.give_back()

    async def look(self, part: Part, end: End) -> None:
        """Raises ``Later`` where ``advance`` would, since the part waits for its time. Sends nothing."""
        event = part.origin.event
        channel = self._channels.named(event.channel)
        goes_on = end.standing is Standing.IN_DOUBT or self._is_unsure(part, end)
        if channel is not None and not goes_on and event.expires_at > datetime.now(UTC):
            await self._leave_until_due(channel, part, end)

    async def _leave_to_owner(self, channel: Channel, part: Part) -> None:
        """Takes the sender where nobody has it. Where another does, its owner is rung and ``Busy`` raised.

        The bell that led here may speak of a later message with another sender.
        """
        origin = part.origin
        owner = await self._ownership.find(channel, origin.event.sender)
        if owner is not None:
            bell = Bell(seq=origin.seq, reply="")
            await forward(self._bus, owner, origin.subject, bell, encode(origin.event))
            raise Busy

    async def _send(self, channel: Channel, part: Part, end: End, grant: Grant) -> End:
        """With a slot in hand: a last look at evidence and refusals, the attempt, the POST, the record."""
        self._desk(channel, part)  # it may have been lost while the part waited
        if (proof := await self._last_look(part, end)) is not None:
            return await self._proven(part, end, proof)
        refusal = await self._refusals.find(channel, part)
        is_quiet = due.is_quiet(part, datetime.now(UTC), channel.quiet_hours)
        if refusal is None and (is_quiet or self._gate.stops(channel, is_probe=grant.is_probe)):
            return end  # the door was closed meanwhile, or quiet hours began: it waits for another slot
        refusal = refusal or await self._refusals.cap(channel, part)
        if refusal is not None:
            return await self._fail(part, end, refusal)
        return await self._attempt(channel, part, end, grant)

    async def _last_look(self, part: Part, end: End) -> Proof | None:
        """The proof that came since, where any attempt at this part was ever in doubt."""
        if _attempt_of(part, end) is None and part.doubts == 0:
            return None
        return await self._evidences.callback(part.origin.event.conversation, part.part_id)

    async def _attempt(self, channel: Channel, part: Part, end: End, grant: Grant) -> End:
        asked_at_s = boot_clock_s()
        attempt = records.attempted(part, self._stamp(), in_doubt=_attempt_of(part, end) is not None)
        end = await self._append(attempt, end)
        in_time = await grant.pay(POST_WITHIN_S - (boot_clock_s() - asked_at_s))
        if not in_time or boot_clock_s() - asked_at_s > POST_WITHIN_S:
            await self._refusals.give_back(channel, part)
            return await self._fail(part, end, refusals.TOO_LATE)
        posted_at = datetime.now(UTC)
        outcome = await self._api.send(channel, _text(part, posted_at))
        self._accounts.learn(channel, outcome, is_probe=grant.is_probe)
        if isinstance(outcome, NotSent):
            await self._refusals.give_back(channel, part)
        if isinstance(outcome, NotSent) and outcome.failure is FailureClass.OPTED_OUT:
            await self._consent.record(_opt_out(part, posted_at))
        return await self._record(part, end, outcome)

    async def _leave_until_due(self, channel: Channel, part: Part, end: End) -> None:
        """Raises ``Later`` where the part waits for its time."""
        before = None
        if isinstance(end.event, PartSent):
            before = await self._evidences.report(end.event.conversation, end.event.part_id)
        now = datetime.now(UTC)
        wait_s = due.wait_s(part, end, before, now, channel.quiet_hours)
        if wait_s:
            left_s = (part.origin.event.expires_at - now).total_seconds()
            raise Later(min(wait_s, _MOST_LATER_S, left_s if left_s > 0.0 else wait_s))

    def _is_unsure(self, part: Part, end: End) -> bool:
        """Whether the part may have been sent after the backup that was restored: nobody remembers.

        It is given an attempt without a POST, and with that it is in doubt like any other.
        """
        restored = self._switches.restored
        if restored is None or part.origin.stored_at > restored.at:
            return False
        return end.slot != part.slot or end.stored_at <= restored.at

    async def _record(self, part: Part, end: End, outcome: Outcome) -> End:
        PARTS.labels(type(outcome).__name__).inc()
        match outcome:
            case Created():
                log.info("part sent", part_id=part.part_id, sid=outcome.sid)
                note_reply(part, datetime.now(UTC))
                return await self._append(
                    records.sent(part, end.attempt_seq, outcome, Evidence.RESPONSE, self._stamp()), end
                )
            case NotSent():
                return await self._fail(part, end, outcome)
            case InDoubt():
                tracing.fail(tracing.current(), "in_doubt")
                log.warning("part in doubt", part_id=part.part_id, reason=outcome.reason)
                count_failure(outcome)
                return end

    async def _settle(self, channel: Channel, part: Part, end: End) -> End | None:
        """The chain's end once the part in doubt is settled; None where it may be sent again."""
        attempt = _attempt_of(part, end)
        if attempt is None:
            return None  # its turn is gone, and with it all that could be sent again
        with settle_span(part, channel) as span:
            with IN_DOUBT.track_inprogress():
                verdict = await self._evidences.settle(self._doubt(channel, part, attempt, end), self._rest)
            span.set_attribute("parley.outcome", type(verdict).__name__.lower())
            match verdict:
                case Proof() as proof:
                    return await self._proven(part, end, proof)
                case Undecided():
                    return await self._fail(part, end, refusals.UNDECIDED)
                case Absent():
                    log.warning("no evidence of the part in doubt, it is sent again", part_id=attempt.part_id)
                    return None

    def _doubt(self, channel: Channel, part: Part, attempt: PartAttempted, end: End) -> Doubt:
        restored = self._switches.restored
        is_restored = restored is not None and part.origin.stored_at <= restored.at
        return Doubt(
            attempt=attempt,
            seq=end.seq,
            stored_at=end.stored_at,
            since=part.origin.event.at if is_restored else end.stored_at,
            restored=is_restored,
            expires_at=part.origin.event.expires_at,
            channel=channel,
        )

    async def _proven(self, part: Part, end: End, proof: Proof) -> End:
        log.info("part in doubt was sent", part_id=part.part_id, sid=proof.sid, evidence=proof.evidence.value)
        created = Created(sid=proof.sid, status=proof.status)
        return await self._append(records.sent(part, end.attempt_seq, created, proof.evidence, self._stamp()), end)

    async def _rest(self, delay_s: float) -> None:
        """Sleeps, or raises ``Busy`` where the process is to stop."""
        if await rest_for(delay_s, self._closing):
            raise Busy

    async def _give_up(self, channel: Channel | None, part: Part, end: End, outcome: NotSent) -> End:
        """Fails a part that nothing was done for; also that is in its trace."""
        with send_span(part, channel):
            return await self._fail(part, end, outcome)

    async def _fail(self, part: Part, end: End, outcome: NotSent) -> End:
        span = tracing.current()
        span.set_attribute("parley.final", outcome.final)
        tracing.fail(span, outcome.failure.value)
        seq = end.seq if _attempt_of(part, end) is not None else 0
        count_failure(outcome)
        log.warning("part not sent", part_id=part.part_id, failure=outcome.failure.value, code=outcome.code)
        return await self._append(records.failed(part, seq, outcome, self._stamp()), end)

    async def _append(self, event: SendEvent, end: End) -> End:
        seq = await self._bus.append(end.chain, event, after=end.seq, chain=end.chain)
        return fold(end.chain, event, seq, datetime.now(UTC))

    def _desk(self, channel: Channel, part: Part) -> Desk:
        desk = self._ownership.desk(channel, part.origin.event.sender)
        if desk is None or self._closing.is_set():
            raise Busy
        return desk

    def _stamp(self) -> records.Stamp:
        return records.Stamp(id=secrets.token_hex(16), at=datetime.now(UTC), worker=self._worker)


def _attempt_of(part: Part, end: End) -> PartAttempted | None:
    """The part's open attempt, if the chain ends with it."""
    return end.event if isinstance(end.event, PartAttempted) and end.event.slot == part.slot else None


def _claim(part: Part) -> Claim:
    event = part.origin.event
    return Claim(
        priority=part.origin.priority,
        at=event.at,
        expires_at=event.expires_at,
        segments=count_segments(part.body).segments,
    )


def _text(part: Part, posted_at: datetime) -> Text:
    event = part.origin.event
    return Text(
        part_id=part.part_id,
        sender=event.sender,
        contact=event.contact,
        body=part.body,
        posted_at=posted_at,
        media_urls=tuple(media.url for media in part.media),
    )


def _opt_out(part: Part, posted_at: datetime) -> ConsentChanged:
    """What a 21610 teaches, as of its POST: a START that came later still counts."""
    event = part.origin.event
    return ConsentChanged(
        id=f"consent-{part.part_id}",
        at=posted_at,
        channel=event.channel,
        conversation=event.conversation,
        scope=event.sender,
        contact=event.contact,
        granted=False,
        cause=ConsentCause.TWILIO_21610,
    )
