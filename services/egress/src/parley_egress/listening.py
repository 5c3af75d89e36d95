"""What listens for one lane: its doorbells, the conversations they ring, the sweep for bells that were lost."""

from __future__ import annotations

from collections.abc import Sequence

from parley_common.background import Background
from parley_common.bells import BellSubscriber, OnBell
from parley_common.broker import Broker
from parley_common.bus import Bus, Stored
from parley_common.doorbells import Bell, Doorbells
from parley_common.lanes import Lane
from parley_common.leases import Leases
from parley_common.sweep import Sweep
from parley_egress.outbox import Outbox


class Listening:
    """One lane. ``on_bell`` decides whether a bell is for here: then it goes to ``ring``."""

    def __init__(
        self, lane: Lane, bus: Bus, leases: Leases, outbox: Outbox, *, broker: Broker, on_bell: OnBell
    ) -> None:
        self.lane = lane
        self._bus = bus
        self._on_bell = on_bell
        self._doorbells = Doorbells(bus, outbox.drain)
        self._subscriber = BellSubscriber(broker, lane.durable, on_bell)
        self._sweep = Sweep(bus, leases, lane.every_source, is_done=outbox.is_done, ring=self._ring_again)

    async def wait_declared(self) -> None:
        """Returns once the streams and the lane's consumer exist."""
        await self._subscriber.wait_declared(self._bus)

    async def start(self) -> None:
        """Begins to listen."""
        await self._subscriber.start()

    def run_beside(self, background: Background) -> None:
        """Has run what runs beside it."""
        name = self.lane.durable
        background.start(f"keeping {name} bells alive", self._doorbells.keep_alive())
        background.start(f"declaring {name} again", self._subscriber.keep_declared(self._bus))
        background.start(f"sweeping for {name}", self._sweep.keep_sweeping())

    async def stop_listening(self) -> None:
        """Hears no more bells; what was heard and not begun rings elsewhere."""
        await self._subscriber.stop(self._bus)

    async def end(self, grace_s: float) -> None:
        """Lets the work end within the grace period and hands back the rest."""
        await self._doorbells.stop(grace_s)

    async def ring(self, conversation: str, bell: Bell) -> None:
        """Has the conversation drained."""
        await self._doorbells.ring(conversation, bell)

    async def problems(self) -> Sequence[str]:
        """Why no bell can be heard now."""
        return await self._subscriber.problems(self._bus)

    async def _ring_again(self, stored: Stored) -> None:
        await self._on_bell(stored.subject, Bell(seq=stored.seq, reply=""), stored.data)
