"""Which senders this process owns. The owner alone sends for a number or Messaging Service, so its rate is exact.

A lease says who owns a sender; a doorbell that reaches another process is handed to the owner. Ownership decides
rates and cost; that nothing is sent twice rests on the chain of sends.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog

from parley_common.bus import BROKER_TROUBLE
from parley_common.channels import Channel
from parley_common.domain.phone_numbers import AddressError, SenderType, parse_address, sender_type
from parley_common.identity import Identity
from parley_common.leases import SESSION_TTL_S, Leases, boot_clock_s
from parley_egress.accounts import Gate
from parley_egress.desk import Desk
from parley_egress.rate import LARGEST_PART, new_owner

_CONFIRM_EVERY_S = 1.0
_REMEMBER_S = 1.0

log = structlog.get_logger(__name__)


class Ownership:
    """The desks of the senders owned here, and who owns the others."""

    def __init__(self, leases: Leases, identity: Identity, gate: Gate) -> None:
        self._leases = leases
        self._gate = gate
        self._identity = identity
        self._desks: dict[str, Desk] = {}
        self._confirmed_at_s: dict[str, float] = {}
        self._others: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def desk(self, channel: Channel, sender: str) -> Desk | None:
        """The sender's desk where it is owned here for certain.

        A process that was frozen is in doubt until it has renewed its session and then confirmed the lease.
        """
        key = self._key(channel, sender)
        age_s = boot_clock_s() - self._confirmed_at_s.get(key, float("-inf"))
        return self._desks.get(key) if age_s < SESSION_TTL_S and not self._leases.in_doubt else None

    async def find(self, channel: Channel, sender: str) -> str | None:
        """Takes the sender if nobody living owns it. None: it is ours; else the session of its owner."""
        key = self._key(channel, sender)
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key in self._desks:
                return None
            owner, until_s = self._others.get(key, ("", 0.0))
            if until_s > time.monotonic():
                return owner
            asked_at_s = boot_clock_s()
            holder = await self._leases.take(_lease(key))
            if holder is not None:
                self._others[key] = (holder, time.monotonic() + _REMEMBER_S)
                return holder
            self._confirmed_at_s[key] = asked_at_s
            owed = LARGEST_PART if self._leases.inherited(_lease(key)) else 1
            begins_at_s = time.monotonic() + await self._leases.unsettled_s()
            bucket = new_owner(_segments_per_s(channel, sender), begins_at_s, owed)
            self._desks[key] = Desk(bucket, _ChannelDoor(self._gate, channel))
            log.info("owns sender", sender=key)
            return None

    @property
    def owned(self) -> int:
        """How many senders are owned here."""
        return len(self._desks)

    def close(self) -> None:
        """Grants nothing more; what is granted may still be sent."""
        for desk in self._desks.values():
            desk.close()

    async def settle(self, grace_s: float) -> None:
        """Waits until the rates allow for all that was sent: the next owner begins anew."""
        await asyncio.sleep(min(grace_s, max((desk.owes_s for desk in self._desks.values()), default=0.0)))

    async def keep_confirmed(self) -> None:
        """Confirms the leases again and again, and drops what others have taken meanwhile, until cancelled."""
        while True:
            await asyncio.sleep(_CONFIRM_EVERY_S)
            for key in list(self._desks):
                await self._confirm(key)

    async def _confirm(self, key: str) -> None:
        asked_at_s = boot_clock_s()
        try:
            holder = await self._leases.take(_lease(key))
        except BROKER_TROUBLE:
            return
        if holder is None:
            self._confirmed_at_s[key] = asked_at_s
        else:
            log.warning("lost sender", sender=key)
            self._desks.pop(key).close()

    def _key(self, channel: Channel, sender: str) -> str:
        return self._identity.sender(channel.account_sid, sender)


@dataclass(frozen=True)
class _ChannelDoor:
    """The gate, for one channel."""

    gate: Gate
    channel: Channel

    def wait_s(self) -> float:
        return self.gate.wait_s(self.channel)

    def let_through(self) -> bool:
        return self.gate.let_through(self.channel)


def _segments_per_s(channel: Channel, sender: str) -> float:
    """The channel's own rate, else Twilio's default for the number; a Messaging Service has that of its pool."""
    if channel.rate_mps is not None:
        return channel.rate_mps
    if sender != channel.messaging_service_sid:
        return _own_rate(sender)
    pool = [sender_type(parse_address(number)) for number in channel.numbers] or [SenderType.US_CA_LONG_CODE]
    return sum(kind.segments_per_s for kind in pool)


def _own_rate(sender: str) -> float:
    """A number's default; that of a Messaging Service the channel no longer has is the slowest."""
    try:
        return sender_type(parse_address(sender)).segments_per_s
    except AddressError:
        return SenderType.US_CA_LONG_CODE.segments_per_s


def _lease(key: str) -> str:
    return f"sender.{key}"
