"""What an operator says to all services at once: sending paused and resumed, and that a backup was restored.

Egress keeps a copy that is fresh within a second. A copy that could not be renewed counts as paused: whoever
cannot hear the operator sends nothing.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import structlog

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus, Stored
from parley_common.events import Restored, SendingSwitched

EVERY_CHANNEL = ""
_REFRESH_S = 0.4
_STALE_S = 2.0

log = structlog.get_logger(__name__)


async def switch_sending(bus: Bus, channel: str, *, paused: bool, reason: str) -> None:
    """Pauses or resumes a channel's sending, or that of ``EVERY_CHANNEL``."""
    event = SendingSwitched(
        id=secrets.token_hex(16),
        at=datetime.now(UTC),
        channel=channel,
        conversation="",
        paused=paused,
        reason=reason,
    )
    await bus.publish(topology.switch(channel), event)


async def read_switch(bus: Bus, channel: str) -> SendingSwitched | None:
    """What was said last of this channel, or of ``EVERY_CHANNEL``; None where nothing was."""
    event = _event(await bus.last(topology.switch(channel)))
    return event if isinstance(event, SendingSwitched) else None


async def read_restored(bus: Bus) -> Restored | None:
    """The last time that a backup was restored, None where none ever was."""
    event = _event(await bus.last(topology.RESTORED))
    return event if isinstance(event, Restored) else None


class Switches:
    """Whether sending is paused: within a second while the broker answers, and in any case where it does not."""

    def __init__(self, bus: Bus, channels: Iterable[str]) -> None:
        self._bus = bus
        self._names = (EVERY_CHANNEL, *channels)
        self._paused: frozenset[str] = frozenset()
        self._read_at_s = float("-inf")
        self.restored: Restored | None = None

    def paused(self, channel: str) -> bool:
        """Whether nothing may be sent for this channel now."""
        if self.stale:
            return True
        return not self._paused.isdisjoint((EVERY_CHANNEL, channel))

    @property
    def stale(self) -> bool:
        """Whether the operator was not heard lately."""
        return time.monotonic() - self._read_at_s > _STALE_S

    async def refresh(self) -> None:
        """Reads the switches once."""
        asked_at_s = time.monotonic()
        switches, self.restored = await asyncio.gather(
            asyncio.gather(*(read_switch(self._bus, name) for name in self._names)), read_restored(self._bus)
        )
        paused = frozenset(switch.channel for switch in switches if switch is not None and switch.paused)
        if paused != self._paused:
            log.warning("sending is paused" if paused else "sending goes on", channels=sorted(paused))
        self._paused, self._read_at_s = paused, asked_at_s

    async def keep_fresh(self) -> None:
        """Reads them again and again until cancelled."""
        while True:
            try:
                await self.refresh()
            except (msgspec.DecodeError, *BROKER_TROUBLE) as error:
                log.warning("the operator is not heard, nothing is sent", error=type(error).__name__)
            await asyncio.sleep(_REFRESH_S)


def _event(stored: Stored | None) -> object:
    return None if stored is None else stored.event()
