"""A sender without its doorbells: one worker over a real broker, and the conversations it works on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from integration.egress.twilio_stub import TwilioStub
from parley_common import events, topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.control import Switches
from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    DeliveryReport,
    Media,
    OutboundMessage,
    PartAttempted,
    PartFailed,
    Priority,
    Reply,
    TurnDone,
    TurnOutcome,
)
from parley_common.identity import Identity
from parley_common.lanes import LANES, NOTIFICATIONS, REPLIES, Lane, lane_of
from parley_common.leases import Leases
from parley_egress.accounts import Accounts, Gate
from parley_egress.desk import Claim
from parley_egress.evidence import Evidences
from parley_egress.outbox import Outbox
from parley_egress.ownership import Ownership
from parley_egress.sending import Sending, Tools
from parley_egress.settings import SendSettings
from parley_egress.twilio_api import TwilioApi

ACCOUNT = "AC" + "a" * 32
NUMBER = "+15550001111"
PERSON = "+15557772222"
HASH_KEY = b"k" * 32
SECRET_KEY = b"s" * 32
IDENTITY = Identity(HASH_KEY)

THE_CLIENTS_WARNINGS = (
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated"),
)
"""Twilio's client speaks to aiohttp in a way that aiohttp gives up in its next major release."""


def channel(stub_url: str, *, rate_mps: float = 1_000.0, service: str | None = None, **changes: Any) -> Channel:
    """A channel whose Twilio is the stub."""
    return Channel(
        name="default",
        account_sid=ACCOUNT,
        auth_tokens=("token",),
        numbers=(NUMBER,),
        messaging_service_sid=service,
        allowed=frozenset(),
        allow_all=True,
        rate_mps=rate_mps,
        api_base_url=stub_url,
        **changes,
    )


def send_settings(*, settle_s: float = 30.0, timeout_s: float = 2.0, most_parts: int = 10) -> SendSettings:
    """Settings with short times."""
    return SendSettings(
        public_url="https://sms.example.com",
        settle_s=settle_s,
        post_timeout_s=timeout_s,
        most_parts=most_parts,
        concurrency=100,
    )


def claim(segments: int = 1, priority: Priority = Priority.REPLY) -> Claim:
    """What somebody else's part asks the desk for."""
    now = datetime.now(UTC)
    return Claim(priority=priority, at=now, expires_at=now + timedelta(hours=1), segments=segments)


class EveryLease:
    """Grants everything: whoever works on a sender believes to own it."""

    in_doubt = False

    async def take(self, _key: str) -> str | None:
        return None

    def inherited(self, _key: str) -> bool:
        return False

    async def unsettled_s(self) -> float:
        return 0.0


@dataclass(frozen=True, kw_only=True)
class Worker:
    """One process's share of the work."""

    bus: Bus
    lanes: Mapping[Lane, Outbox]
    consent: ConsentLedger
    ownership: Ownership
    accounts: Accounts
    switches: Switches
    channel: Channel

    async def drain(self, conversation: Conversation, timeout_s: float = 20.0) -> int:
        """Works until the conversation's last turn is over."""
        async with asyncio.timeout(timeout_s):
            return await self.outbox.drain(conversation.id, lambda: conversation.last_turn)

    async def drain_lane(self, conversation: Conversation, lane: Lane, timeout_s: float = 20.0) -> int:
        """Works until the last message on the conversation's lane, which is no turn, is over."""
        async with asyncio.timeout(timeout_s):
            return await self.lanes[lane].drain(conversation.id, lambda: conversation.last_on[lane])

    async def drain_notifications(self, conversation: Conversation, timeout_s: float = 20.0) -> int:
        """Works until the conversation's last notification is over."""
        return await self.drain_lane(conversation, NOTIFICATIONS, timeout_s)

    @property
    def outbox(self) -> Outbox:
        """That of replies."""
        return self.lanes[REPLIES]


@asynccontextmanager
async def working(
    nats_url: str,
    stub: TwilioStub,
    settings: SendSettings | None = None,
    *,
    rate_mps: float = 1_000.0,
    **of_channel: Any,
) -> AsyncIterator[Worker]:
    """A worker that believes to own the sender."""
    bus = Bus(Broker(nats_url), name="test-worker")
    await bus.connect()
    ours = channel(stub.url, rate_mps=rate_mps, **of_channel)
    chosen = settings or send_settings()
    api = TwilioApi(chosen)
    await api.open()
    accounts, switches = Accounts(chosen.concurrency), Switches(bus, [ours.name])
    ownership = Ownership(cast("Leases", EveryLease()), IDENTITY, Gate(switches, accounts))
    await switches.refresh()
    await ownership.find(ours, ours.sender_for(NUMBER))
    consent = ConsentLedger(bus, IDENTITY)
    evidences = Evidences(bus, api, settle_s=chosen.settle_s)
    tools = Tools(
        bus=bus,
        channels=Channels((ours,)),
        ownership=ownership,
        accounts=accounts,
        switches=switches,
        api=api,
        consent=consent,
        evidences=evidences,
    )
    sending = Sending(tools)
    lanes = {lane: Outbox(bus, sending, most_parts=chosen.most_parts, lane=lane) for lane in LANES}
    background = [asyncio.create_task(work()) for work in (ownership.keep_confirmed, switches.keep_fresh)]
    try:
        yield Worker(
            bus=bus,
            lanes=lanes,
            consent=consent,
            ownership=ownership,
            accounts=accounts,
            switches=switches,
            channel=ours,
        )
    finally:
        for task in background:
            task.cancel()
        await api.close()
        await bus.close()


@dataclass
class Conversation:
    """A person's conversation as the other services write it."""

    bus: Bus
    contact: str = PERSON
    last_turn: int = 0
    last_on: dict[Lane, int] = field(default_factory=dict)
    turns: list[int] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its hash."""
        return IDENTITY.conversation("default", self.contact)

    async def reply(
        self,
        *texts: str,
        expires_in_s: float = 3_600.0,
        media: tuple[Media, ...] = (),
        channel: str = "default",
        sender: str = NUMBER,
        confirms: str = "",
    ) -> int:
        """Ends a turn with these replies; returns its sequence."""
        now, turn = datetime.now(UTC), secrets.token_hex(8)
        replies = tuple(Reply(id=f"{turn}-{n}", text=text, media=media) for n, text in enumerate(texts))
        done = TurnDone(
            id=turn,
            at=now,
            channel=channel,
            conversation=self.id,
            upto=1,
            first=1,
            outcome=TurnOutcome.ANSWERED,
            sender=sender,
            contact=self.contact,
            expires_at=now + timedelta(seconds=expires_in_s),
            messages=replies,
            confirms=confirms,
        )
        self.last_turn = await self.bus.publish(topology.turn_done(self.id), done)
        self.turns.append(self.last_turn)
        return self.last_turn

    async def notify(
        self,
        text: str,
        *,
        expires_in_s: float = 3_600.0,
        not_before: datetime | None = None,
        priority: Priority = Priority.NOTIFICATION,
        subject: str = "",
    ) -> int:
        """Writes what is texted without a turn, where its priority belongs or elsewhere; returns its sequence."""
        now, name = datetime.now(UTC), secrets.token_hex(8)
        note = OutboundMessage(
            id=name,
            at=now,
            channel="default",
            conversation=self.id,
            sender=NUMBER,
            contact=self.contact,
            expires_at=now + timedelta(seconds=expires_in_s),
            messages=(Reply(id=f"{name}-0", text=text),),
            not_before=not_before,
            priority=priority,
        )
        subject = subject or topology.outbound(self.id, priority)
        self.last_on[lane_of(subject)] = seq = await self.bus.publish(subject, note)
        return seq

    async def chain(self, lane: Lane = REPLIES) -> list[events.AnyEvent]:
        """All its send events, first to last."""
        found, seq = [], 1
        while (stored := await self.bus.next(lane.chain(self.id), seq=seq)) is not None:
            found.append(stored.event())
            seq = stored.seq + 1
        return found

    async def kinds(self) -> list[str]:
        """The names of its send events."""
        return [type(event).__name__ for event in await self.chain()]

    async def attempts(self) -> list[PartAttempted]:
        """Its attempts."""
        return [event for event in await self.chain() if isinstance(event, PartAttempted)]

    async def failures(self) -> list[PartFailed]:
        """Its failures."""
        return [event for event in await self.chain() if isinstance(event, PartFailed)]

    async def report(
        self,
        part_id: str,
        *,
        status: str = "sent",
        channel: str = "default",
        contact: str | None = None,
        error_code: int | None = None,
    ) -> None:
        """A status callback of a part, as ingress stores it."""
        sid = f"SM{secrets.token_hex(16)}"
        person = IDENTITY.conversation(channel, contact or self.contact)
        report = DeliveryReport(
            id=f"{sid}-{status}-0",
            at=datetime.now(UTC),
            channel=channel,
            conversation=person,
            account_sid=ACCOUNT,
            sid=sid,
            status=status,
            part_id=part_id,
            error_code=error_code,
        )
        await self.bus.publish(topology.reports(person, part_id), report, dedupe=True)

    async def consents(
        self,
        ledger: ConsentLedger,
        *,
        granted: bool,
        scope: str = NUMBER,
        cause: ConsentCause = ConsentCause.KEYWORD,
    ) -> str:
        """The person says STOP or START, or the like; returns the change's id."""
        change = ConsentChanged(
            id=secrets.token_hex(8),
            at=datetime.now(UTC),
            channel="default",
            conversation=self.id,
            scope=scope,
            contact=self.contact,
            granted=granted,
            cause=cause,
        )
        await ledger.record(change)
        return change.id

    async def erase_turn(self, seq: int) -> None:
        """Retention takes a turn away."""
        await self.bus.js.delete_msg(topology.CONVERSATIONS, seq)


def crowd(bus: Bus, count: int) -> list[Conversation]:
    """Conversations with as many people."""
    return [Conversation(bus, contact=f"+1555{n:07}") for n in range(count)]
