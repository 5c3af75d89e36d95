"""How far Twilio's log was read for each number, and what is to be read next. The period is pure.

A mark says that all texts until then are in the stream. It stays behind the last look by an overlap, since
Twilio's log may show a text late and its clock is not ours. It is written seldom: the stream keeps each.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import msgspec

from parley_common import topology
from parley_common.bus import Bus
from parley_common.channels import Channel
from parley_common.events import LogRead
from parley_common.identity import Identity

OVERLAP = timedelta(minutes=10)
_STEP = timedelta(minutes=10)
_WRITTEN_AFTER = timedelta(hours=1)
"""By more than this no mark is younger than what it says: so far an unreadable one is taken back."""

_LISTING_TAKES = timedelta(hours=1)


def kept_for_certain(max_age: timedelta) -> timedelta:
    """How old a text may be that the stream still has when a long listing of Twilio's log ends."""
    return max(max_age / 2, max_age - _LISTING_TAKES)


def period(
    mark: datetime, now: datetime, *, after: timedelta, kept: timedelta
) -> tuple[datetime, datetime] | None:
    """What to read now, None where there is nothing yet.

    ``after``: how old a text must be. What the stream has forgotten already, after ``kept``, is not asked for: it
    would look as if it had never come.
    """
    since, until = max(mark, now - kept), now - after
    return (since, until) if since < until else None


def following(mark: datetime, until: datetime) -> datetime | None:
    """The next mark once all until then is in, None where it is not worth writing yet."""
    upto = until - OVERLAP
    return upto if upto - mark >= _STEP else None


class Marks:
    """Keeps them on the broker."""

    def __init__(self, bus: Bus, identity: Identity) -> None:
        self._bus = bus
        self._identity = identity

    async def read(self, channel: Channel, number: str) -> datetime | None:
        """The number's mark, None where its log was never read. Raises ``BROKER_TROUBLE``."""
        stored = await self._bus.last(self._subject(channel, number))
        if stored is None:
            return None
        try:
            event = stored.event()
        except msgspec.DecodeError:
            event = None
        return event.upto if isinstance(event, LogRead) else stored.time - _WRITTEN_AFTER

    async def write(self, channel: Channel, number: str, upto: datetime, at: datetime) -> None:
        """Moves the mark. Raises ``BROKER_TROUBLE``."""
        event = LogRead(id=secrets.token_hex(16), at=at, channel=channel.name, conversation="", upto=upto)
        await self._bus.publish(self._subject(channel, number), event)

    def _subject(self, channel: Channel, number: str) -> str:
        return topology.log_read(self._identity.sender(channel.account_sid, number))
