"""Brings in what people texted and no webhook told of: from Twilio's log into the stream, once each.

Nothing here is made safe by taking turns: a text is stored under its MessageSid, as its webhook stores it, so that
a late webhook, another replica and the same period once more store nothing. The broker remembers a MessageSid for
a day; for an older text the person's stored texts are looked through first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import structlog
from prometheus_client import Counter

from parley_common import topology, tracing
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import Channel
from parley_common.consent import ConsentLedger
from parley_common.events import InboundMessage
from parley_common.identity import Identity
from parley_ingress.forms import Refused
from parley_ingress.logged import LoggedText, as_form
from parley_ingress.translation import Receipt, consent_change, inbound_message
from parley_ingress.twilio_log import LogTrouble, TwilioLog

_REMEMBERED = timedelta(hours=23)
"""How long the broker surely recognises a MessageSid: its duplicate window, less what clocks may differ."""

log = structlog.get_logger(__name__)

_brought_in = Counter("parley_backfilled", "Texts found in Twilio's log that no webhook had brought.")
_unreadable = Counter("parley_backfill_unreadable", "Texts in Twilio's log that could not be read.")


@dataclass
class Found:
    """What became of the texts of a period; ``settled`` are the SIDs that need no second look.

    ``problems`` end when Twilio's do; what is ``unreadable`` stays so.
    """

    found: int = 0
    brought_in: int = 0
    known: int = 0
    unreadable: int = 0
    problems: list[str] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)

    def pass_over(self, sid: str) -> None:
        """Counts a text that cannot be read; it is not looked at again."""
        _unreadable.inc()
        self.unreadable += 1
        self.settled.add(sid)

    def __iadd__(self, other: Found) -> Found:
        """Both together."""
        self.found += other.found
        self.brought_in += other.brought_in
        self.known += other.known
        self.unreadable += other.unreadable
        self.problems += other.problems
        self.settled |= other.settled
        return self


class Backfill:
    """Compares Twilio's log with the stream."""

    def __init__(self, bus: Bus, identity: Identity, consent: ConsentLedger, twilio: TwilioLog) -> None:
        self._bus = bus
        self._identity = identity
        self._consent = consent
        self._twilio = twilio

    async def numbers(self, channel: Channel) -> tuple[tuple[str, ...], list[str]]:
        """The channel's numbers with those of its service's pool, and why the pool could not be read."""
        try:
            pool = await self._twilio.pool_numbers(channel)
        except LogTrouble as trouble:
            return channel.numbers, [f"the numbers of the Messaging Service: {trouble}"]
        return tuple(dict.fromkeys(channel.numbers + pool)), []

    async def bring_in(
        self, channel: Channel, number: str, since: datetime, until: datetime, *, settled: Collection[str] = ()
    ) -> Found:
        """Brings in what is missing of the texts to this number, oldest first. Raises ``BROKER_TROUBLE``.

        ``settled``: SIDs that an earlier look has dealt with. One that cannot be read stops none of the others.
        """
        result, by_conversation = Found(), _StoredSids(self._bus)
        try:
            texts = await self._twilio.texts(channel, number, since, until)
        except LogTrouble as trouble:
            result.problems.append(str(trouble))
            return result
        for text in texts:
            result.found += 1
            if text.sid in settled:
                result.known += 1
                result.settled.add(text.sid)
                continue
            try:
                await self._settle(channel, text, result, by_conversation)
            except LogTrouble as trouble:
                log.warning("attachments could not be listed", sid=text.sid, reason=str(trouble))
                result.problems.append(str(trouble))
            except Refused as refused:
                log.warning("a text in Twilio's log cannot be read", sid=text.sid, reason=str(refused))
                result.pass_over(text.sid)
            except BROKER_TROUBLE:
                raise
            except Exception:  # a fault of ours keeps the mark where it is, and none of the others out
                log.exception("a text in Twilio's log could not be brought in", sid=text.sid)
                result.problems.append("ingress failed at a text: its log names the SID")
        return result

    async def _settle(self, channel: Channel, text: LoggedText, result: Found, stored: _StoredSids) -> None:
        if text.created_at is None:
            raise Refused(400, "it has no date")
        receipt = Receipt(channel=channel, identity=self._identity, at=text.created_at)
        conversation = inbound_message(as_form(text, ()), receipt).conversation
        old = datetime.now(UTC) - text.created_at > _REMEMBERED
        known = old and await stored.holds(conversation, text.sid)
        if known or not await self._store(text, topology.texts(conversation), receipt):
            result.known += 1
        else:
            result.brought_in += 1
            _brought_in.inc()
            log.info("text brought in from Twilio's log", sid=text.sid, conversation=conversation)
        result.settled.add(text.sid)

    async def _store(self, text: LoggedText, subject: str, receipt: Receipt) -> bool:
        """Stores the text and what it says about consent; False where the stream had it already."""
        newest = await self._bus.last(subject)
        if newest is not None and newest.dedupe_id == text.sid:
            return False
        form = as_form(text, await self._twilio.media(receipt.channel, text))
        message: InboundMessage = msgspec.structs.replace(inbound_message(form, receipt), backfilled=True)
        attributes = {"parley.conversation": message.conversation}
        with tracing.span("backfill inbound", parent=tracing.ROOT, attributes=attributes):
            change = consent_change(form, message, receipt)
            if change is not None:
                await self._consent.record(change)
            seq = await self._bus.publish(subject, message, dedupe=True)
        return newest is None or seq > newest.seq


class _StoredSids:
    """The MessageSids that conversations hold, each conversation read once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._sids: dict[str, set[str]] = {}

    async def holds(self, conversation: str, sid: str) -> bool:
        """Whether the conversation has this text."""
        if conversation not in self._sids:
            self._sids[conversation] = await self._read(topology.texts(conversation))
        return sid in self._sids[conversation]

    async def _read(self, subject: str) -> set[str]:
        sids, seq = set(), 1
        while (stored := await self._bus.next(subject, seq=seq)) is not None:
            sids.add(stored.dedupe_id or "")
            seq = stored.seq + 1
        return sids
