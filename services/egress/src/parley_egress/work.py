"""What egress does: doorbells of turns and of other messages in, texts to Twilio out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from parley_common import events, topology
from parley_common.background import Background
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.consent import ConsentLedger
from parley_common.control import Switches
from parley_common.dead_letters import count_letters
from parley_common.doorbells import Bell
from parley_common.hash_key import wait_same_hash_key
from parley_common.identity import Identity
from parley_common.lag import Lag
from parley_common.lanes import LANES, Lane, lane_of
from parley_common.leases import Leases
from parley_common.media_links import MediaLinks
from parley_common.metrics import show_broker
from parley_common.pulling import start_when_possible
from parley_common.service import end_process
from parley_common.shared_settings import Common
from parley_egress.accounts import Accounts, Gate
from parley_egress.evidence import Evidences
from parley_egress.forwarding import forward, listen
from parley_egress.listening import Listening
from parley_egress.metrics import show_paused, show_senders
from parley_egress.outbox import Outbox
from parley_egress.ownership import Ownership
from parley_egress.sending import Sending, Tools
from parley_egress.settings import Settings
from parley_egress.twilio_api import TwilioApi

_READY_TIMEOUT_S = 1.0


class EgressWork:
    """Holds the doorbells of conversations whose senders it owns, and hands the others on."""

    def __init__(self, common: Common, settings: Settings) -> None:
        self._channels = settings.channels
        self._bus = Bus(common.broker, name="parley-egress", lost=end_process)
        self._hash_key = common.hash_key
        self._leases = Leases(self._bus, settings.limits)
        identity = Identity(common.hash_key)
        self._switches = Switches(self._bus, [channel.name for channel in settings.channels.all])
        accounts = Accounts(settings.sending.concurrency)
        self._ownership = Ownership(self._leases, identity, Gate(self._switches, accounts))
        self._api = TwilioApi(settings.sending, MediaLinks(settings.secret_keys))
        tools = Tools(
            bus=self._bus,
            channels=settings.channels,
            ownership=self._ownership,
            accounts=accounts,
            switches=self._switches,
            api=self._api,
            consent=ConsentLedger(self._bus, identity),
            evidences=Evidences(self._bus, self._api, settle_s=settings.sending.settle_s),
        )
        self._sending = Sending(tools)
        self._lanes = {lane: self._listening(lane, common, settings) for lane in LANES}
        self._lag = Lag(self._bus, [lane.durable for lane in LANES])
        self._background = Background()
        count_letters("egress")
        show_broker(lambda: self._bus.nc.is_connected)
        show_senders(lambda: self._ownership.owned)
        show_paused(self._switches.paused, [channel.name for channel in settings.channels.all])

    async def start(self) -> None:
        """Waits for the broker and the declare step, then listens for doorbells."""
        await self._api.open()
        await self._bus.connect()
        for lane in self._lanes.values():
            await lane.wait_declared()
        await wait_same_hash_key(self._bus, self._hash_key)
        await start_when_possible(self._begin_leasing)
        await listen(self._bus, self._leases.session, self._on_bell)
        self._background.start("renewing the session", self._leases.keep_alive())
        self._background.start("confirming senders", self._ownership.keep_confirmed())
        self._background.start("reading the switches", self._switches.keep_fresh())
        self._background.start("looking at the lag", self._lag.keep_looking())
        for lane in self._lanes.values():
            lane.run_beside(self._background)
        for lane in self._lanes.values():
            await lane.start()

    async def _begin_leasing(self) -> None:
        await self._leases.renew()
        await self._leases.unsettled_s()

    async def stop(self, grace_s: float) -> None:
        """Ends the POSTs under way, records them, hands back what was not begun."""
        lanes = self._lanes.values()
        await asyncio.gather(*(lane.stop_listening() for lane in lanes))
        self._sending.close()
        await asyncio.gather(*(lane.end(grace_s * 0.6) for lane in lanes))
        await self._ownership.settle(grace_s * 0.2)
        await self._background.stop()
        await self._leases.end()
        await self._api.close()
        await self._bus.close()

    async def problems(self) -> Sequence[str]:
        """Why nothing can be sent now."""
        found = await asyncio.gather(*(lane.problems() for lane in self._lanes.values()), self._unheard())
        return [*self._background.problems(), *(problem for problems in found for problem in problems)]

    async def _unheard(self) -> Sequence[str]:
        """What else must answer before anything is sent: consent, evidence, leases, the operator."""
        for stream in (topology.CONSENT, topology.REPORTS, topology.CONTROL):
            try:
                await self._bus.stream_answers(stream, timeout_s=_READY_TIMEOUT_S)
            except BROKER_TROUBLE as error:
                return [f"the broker does not answer for stream {stream}: {type(error).__name__}"]
        if self._leases.in_doubt:
            return ["the session cannot be renewed, so no sender is surely owned here"]
        return ["the operator's switches cannot be read"] if self._switches.stale else []

    def _listening(self, lane: Lane, common: Common, settings: Settings) -> Listening:
        outbox = Outbox(self._bus, self._sending, most_parts=settings.sending.most_parts, lane=lane)
        return Listening(lane, self._bus, self._leases, outbox, broker=common.broker, on_bell=self._on_bell)

    async def _on_bell(self, subject: str, bell: Bell, body: bytes) -> None:
        owner = await self._owner(body)
        if owner is None:
            await self._lanes[lane_of(subject)].ring(topology.conversation_of(subject), bell)
        else:
            await forward(self._bus, owner, subject, bell, body)

    async def _owner(self, body: bytes) -> str | None:
        """The session that owns the sender; None where it is ours, or there is nothing to own."""
        try:
            event = events.decode(body)
        except msgspec.DecodeError:
            return None
        channel = self._channels.named(event.channel)
        if channel is None or not isinstance(event, events.TurnDone | events.OutboundMessage):
            return None
        return await self._ownership.find(channel, event.sender)
