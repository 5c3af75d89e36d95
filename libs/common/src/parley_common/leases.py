"""Who works on what, by leases in a memory stream. They decide cost, never correctness.

A worker keeps one session alive; a lease names the session that holds it. Whoever finds a lease of a dead session
takes it over by compare-and-set. When the broker forgets the memory stream, it is declared again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import datetime

import structlog
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, WRITE_UNDER_WAY, WRONG_LAST_SEQUENCE, Bus
from parley_common.declare import NAME_IN_USE

SESSION_TTL_S = 3
_RENEW_S = 1.0
_LOST_RACE = frozenset({WRONG_LAST_SEQUENCE, WRITE_UNDER_WAY})
_RACE_S = 0.02
_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


def boot_clock_s() -> float:
    """Seconds since boot, counting suspension too: a frozen process sees how long it was gone."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Leases:
    """The leases of one worker."""

    def __init__(self, bus: Bus, limits: topology.Limits) -> None:
        self.session = secrets.token_hex(8)
        self._bus = bus
        self._limits = limits
        self._confirmed_at_s = float("-inf")
        self._session_seq = 0
        self._held: dict[str, int] = {}
        self._inherited: set[str] = set()
        self._stream_created: datetime | None = None
        self._forgotten_at_s = float("-inf")

    @property
    def in_doubt(self) -> bool:
        """Whether others may already think this worker dead."""
        return boot_clock_s() - self._confirmed_at_s > SESSION_TTL_S - _RENEW_S / 2

    async def keep_alive(self) -> None:
        """Renews the session until cancelled."""
        while True:
            await self.renew()
            await asyncio.sleep(_RENEW_S)

    async def renew(self) -> None:
        """Renews the session once; a failure leaves it to run out."""
        asked_at_s = boot_clock_s()
        try:
            self._session_seq = await self._put(_session(self.session), {"Nats-TTL": f"{SESSION_TTL_S}s"})
        except BROKER_TROUBLE as error:
            log.info("session not renewed", error=type(error).__name__)
        else:
            self._confirmed_at_s = asked_at_s

    async def take(self, key: str) -> str | None:
        """Takes the lease and returns None, or the living session that holds it."""
        subject = f"lease.{key}"
        while not await self._claim(key, subject, after=0):
            holder = await self._bus.last(subject)
            if holder is None:
                await asyncio.sleep(_RACE_S)  # whoever was faster is about to be seen
                continue
            session = holder.data.decode()
            if session == self.session:
                if key not in self._held:
                    self._inherited.add(key)  # the ack of a claim was lost: it may have been a takeover
                self._held[key] = holder.seq
                return None
            if session and await self._lives(session):
                return session
            if await self._claim(key, subject, after=holder.seq):
                (self._inherited.add if session else self._inherited.discard)(key)
                return None
        self._inherited.discard(key)
        return None

    async def _lives(self, session: str) -> bool:
        stored = await self._bus.last(_session(session))
        return stored is not None and bool(stored.data)

    def inherited(self, key: str) -> bool:
        """Whether the lease was taken from a session that died with it."""
        return key in self._inherited

    async def unsettled_s(self) -> float:
        """For how long another living worker may still believe to hold what was just taken here, in seconds.

        A restarted broker has forgotten who holds what: until every session has been renewed or has run out, a
        lease that nobody seemed to hold may have two holders.
        """
        created = (await self._bus.js.stream_info(topology.LEASES)).created
        if created != self._stream_created and self._stream_created is not None:
            self._forgotten_at_s = boot_clock_s()
        self._stream_created = created
        return max(0.0, SESSION_TTL_S - (boot_clock_s() - self._forgotten_at_s))

    async def release(self, key: str) -> None:
        """Gives the lease back; nothing happens where it is no longer ours. What it leaves is gone in a second."""
        seq = self._held.pop(key, None)
        if seq is not None:
            await self._give_back(f"lease.{key}", seq)

    async def end(self) -> None:
        """Gives everything back; others need not wait for the session to run out."""
        for key in list(self._held):
            await self.release(key)
        if self._session_seq:
            await self._give_back(_session(self.session), self._session_seq)

    async def _give_back(self, subject: str, seq: int) -> None:
        if not self._bus.nc.is_connected:
            return
        headers = {"Nats-TTL": "1s", "Nats-Expected-Last-Subject-Sequence": str(seq)}
        try:
            await self._bus.js.publish(subject, b"", headers=headers, timeout=_TIMEOUT_S)
        except BROKER_TROUBLE as error:
            log.info("lease not given back, it dies with the session", error=type(error).__name__)

    async def _claim(self, key: str, subject: str, *, after: int) -> bool:
        try:
            seq = await self._put(subject, {"Nats-Expected-Last-Subject-Sequence": str(after)})
        except APIError as error:
            if error.err_code not in _LOST_RACE:
                raise
            return False
        self._held[key] = seq
        return True

    async def _put(self, subject: str, headers: dict[str, str]) -> int:
        payload = self.session.encode()
        try:
            return (await self._bus.js.publish(subject, payload, headers=headers, timeout=_TIMEOUT_S)).seq
        except (NoStreamResponseError, NotFoundError):
            await self._declare_again()
            return (await self._bus.js.publish(subject, payload, headers=headers, timeout=_TIMEOUT_S)).seq

    async def _declare_again(self) -> None:
        """A restarted broker has forgotten the memory stream. Whoever was faster may have had other limits."""
        lost = next(config for config in topology.streams(self._limits) if config.name == topology.LEASES)
        try:
            await self._bus.js.add_stream(lost)
        except APIError as error:
            if error.err_code != NAME_IN_USE:
                raise
        self._held.clear()


def _session(session: str) -> str:
    return f"lease.session.{session}"
