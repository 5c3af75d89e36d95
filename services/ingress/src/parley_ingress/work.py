"""What ingress does beside answering webhooks: it keeps a connection to the broker and looks into Twilio's log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from parley_common import topology
from parley_common.background import Background
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.consent import ConsentLedger
from parley_common.dead_letters import count_letters
from parley_common.declare import wait_declared
from parley_common.hash_key import wait_same_hash_key
from parley_common.identity import Identity
from parley_common.leases import Leases
from parley_common.metrics import show_broker
from parley_ingress.backfill import Backfill
from parley_ingress.backfill_desk import BackfillDesk
from parley_ingress.marks import Marks, kept_for_certain
from parley_ingress.rounds import Pace, Rounds
from parley_ingress.settings import Settings
from parley_ingress.twilio_log import TwilioLog

_READY_TIMEOUT_S = 1.0


class IngressWork:
    """The connection that webhooks are published over, that of files, and the backfill."""

    def __init__(
        self, bus: Bus, identity: Identity, settings: Settings, *, media_bus: Bus, hash_key: bytes
    ) -> None:
        self._bus = bus
        self._media_bus = media_bus
        self._hash_key = hash_key
        self._every_s = settings.backfill.every_s
        self._twilio = TwilioLog(timeout_s=settings.backfill.twilio_timeout_s)
        self._leases = Leases(bus, settings.limits)
        kept = kept_for_certain(timedelta(seconds=settings.limits.max_age_s))
        after = timedelta(seconds=settings.backfill.after_s)
        pace = Pace(every_s=self._every_s, after=after, kept=kept)
        backfill = Backfill(bus, identity, ConsentLedger(bus, identity), self._twilio)
        self._rounds = Rounds(settings.channels, self._leases, Marks(bus, identity), backfill, pace)
        self._desk = BackfillDesk(bus, settings.channels, backfill, after=after, kept=kept)
        self._background = Background()
        self._declared = False
        count_letters("ingress")
        show_broker(lambda: bus.nc.is_connected)

    async def start(self) -> None:
        """Waits for the broker and the declare step, then looks into Twilio's log.

        No webhook can be stored before the hash key is known to be the right one: their connection comes after.
        """
        await self._twilio.open()
        await self._media_bus.connect()
        await wait_same_hash_key(self._media_bus, self._hash_key)
        await self._bus.connect()
        await wait_declared(self._bus.js, frozenset())
        self._declared = True
        await self._desk.open()
        if self._every_s:
            await self._leases.renew()
            self._background.start("renewing the session", self._leases.keep_alive())
            self._background.start("looking into Twilio's log", self._rounds.keep_looking())

    async def stop(self, _grace_s: float) -> None:
        """Ends the backfill and closes the connections; webhooks under way were answered before."""
        await self._desk.close()
        await self._background.stop()
        if self._every_s:
            await self._leases.end()
        await self._twilio.close()
        await self._media_bus.close()
        await self._bus.close()

    async def problems(self) -> Sequence[str]:
        """Why a webhook would be answered 503 now."""
        if (refused := self._bus.refused or self._media_bus.refused) is not None:
            return [refused]
        if not self._declared:
            return ["waiting for the broker and the declare step"]
        try:
            await self._bus.stream_answers(topology.CONVERSATIONS, timeout_s=_READY_TIMEOUT_S)
        except BROKER_TROUBLE as error:
            return [f"the broker does not answer for stream {topology.CONVERSATIONS}: {type(error).__name__}"]
        return self._background.problems()
