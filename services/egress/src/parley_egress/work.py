"""What egress does: doorbells of turns in, texts to Twilio out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from parley_common import events, topology
from parley_common.bells import BellSubscriber
from parley_common.bus import Bus
from parley_common.consent import ConsentLedger
from parley_common.doorbells import Bell, Doorbells
from parley_common.identity import Identity
from parley_common.leases import Leases
from parley_common.settings import Common
from parley_egress.evidence import Evidences
from parley_egress.forwarding import forward, listen
from parley_egress.outbox import Outbox
from parley_egress.ownership import Ownership
from parley_egress.sending import Sending, Tools
from parley_egress.settings import Settings
from parley_egress.twilio_api import TwilioApi

log = structlog.get_logger(__name__)


class EgressWork:
    """Holds the doorbells of conversations whose senders it owns, and hands the others on."""

    def __init__(self, common: Common, settings: Settings) -> None:
        self._channels = settings.channels
        self._bus = Bus(common.nats_url, name="parley-egress")
        self._leases = Leases(self._bus, settings.limits)
        identity = Identity(common.hash_key)
        self._ownership = Ownership(self._leases, identity)
        self._api = TwilioApi(settings.sending)
        tools = Tools(
            bus=self._bus,
            channels=settings.channels,
            ownership=self._ownership,
            api=self._api,
            consent=ConsentLedger(self._bus, identity),
            evidences=Evidences(self._bus, self._api, settle_s=settings.sending.settle_s),
        )
        self._sending = Sending(tools)
        outbox = Outbox(self._bus, self._sending, most_parts=settings.sending.most_parts)
        self._doorbells = Doorbells(self._bus, outbox.drain)
        self._subscriber = BellSubscriber(common.nats_url, topology.EGRESS_BELLS, self._on_bell)
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Waits for the broker and the declare step, then listens for doorbells."""
        await self._api.open()
        await self._bus.connect()
        await self._subscriber.wait_declared(self._bus)
        await self._leases.renew()
        await listen(self._bus, self._leases.session, self._on_bell)
        self._background = [
            asyncio.create_task(self._leases.keep_alive()),
            asyncio.create_task(self._doorbells.keep_alive()),
            asyncio.create_task(self._ownership.keep_confirmed()),
        ]
        await self._subscriber.start()

    async def stop(self, grace_s: float) -> None:
        """Ends the POSTs under way, records them, hands back what was not begun."""
        await self._subscriber.stop(self._bus)
        self._sending.close()
        await self._doorbells.stop(grace_s * 0.6)
        await self._ownership.settle(grace_s * 0.2)
        for task in self._background:
            task.cancel()
        await self._leases.end()
        await self._api.close()
        await self._bus.close()

    async def problems(self) -> Sequence[str]:
        """Why nothing can be sent now."""
        return await self._subscriber.problems(self._bus)

    async def _on_bell(self, subject: str, bell: Bell, body: bytes) -> None:
        owner = await self._owner(body)
        if owner is None:
            await self._doorbells.ring(topology.conversation_of(subject), bell)
        else:
            await forward(self._bus, owner, subject, bell, body)

    async def _owner(self, body: bytes) -> str | None:
        """The session that owns the turn's sender; None where it is ours, or there is nothing to own."""
        try:
            turn = events.decode(body)
        except msgspec.DecodeError:
            return None
        channel = self._channels.named(turn.channel)
        if channel is None or not isinstance(turn, events.TurnDone):
            return None
        return await self._ownership.find(channel, turn.sender)
