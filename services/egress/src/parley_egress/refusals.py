"""Why a part may not be sent any more, looked at right before its attempt: too late, STOP, abroad, too much."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import Channel
from parley_common.consent import ConsentLedger
from parley_common.domain.segments import count_segments
from parley_common.events import FailureClass, Outgoing, TurnDone
from parley_egress.outcome import NotSent
from parley_egress.parts import Part


def _never(failure: FailureClass, reason: str) -> NotSent:
    return NotSent(failure=failure, final=True, reason=reason)


EXPIRED = _never(FailureClass.EXPIRED, "it expired before it could be sent")
OPTED_OUT = _never(FailureClass.OPTED_OUT, "the person said STOP to this sender")
NO_CHANNEL = _never(FailureClass.CONFIGURATION, "its channel does not exist")
UNDECIDED = _never(FailureClass.UNDECIDED, "nobody can tell whether Twilio has it; look in its log")
ABROAD = _never(FailureClass.NOT_ALLOWED, "the number's country is not among SMS_ALLOWED_COUNTRIES")
CAPPED = _never(FailureClass.SPEND_CAP, "the channel has sent PARLEY_DAILY_SEGMENTS segments today")
TOO_LATE = NotSent(failure=FailureClass.UNREACHABLE, final=False, reason="no POST: the attempt was too old")


class Refusals:
    """Looks for reasons not to send."""

    def __init__(self, bus: Bus, consent: ConsentLedger) -> None:
        self._bus = bus
        self._consent = consent

    async def find(self, channel: Channel, part: Part) -> NotSent | None:
        """Why the part is not to be sent, None where nothing speaks against it."""
        event = part.origin.event
        if event.expires_at <= datetime.now(UTC):
            return EXPIRED
        if not channel.reaches(event.contact):
            return ABROAD
        granted = await self._consent.granted(
            event.sender, event.contact, also=channel.pool_of(event.sender), confirming=_confirms(event)
        )
        return None if granted else OPTED_OUT

    async def cap(self, channel: Channel, part: Part) -> NotSent | None:
        """Counts the part's segments; why it is not to be sent where the channel's day has had enough.

        An attempt in doubt counts: it may have cost money. One that was refused is to be given back.
        """
        if not channel.daily_segments:
            return None
        spent = await self._bus.count(_today(channel), count_segments(part.body).segments)
        if spent <= channel.daily_segments:
            return None
        await self.give_back(channel, part)
        return CAPPED

    async def give_back(self, channel: Channel, part: Part) -> None:
        """Takes the part's segments off the day's count: it certainly was not sent. Best effort."""
        if channel.daily_segments:
            with contextlib.suppress(*BROKER_TROUBLE):
                await self._bus.count(_today(channel), -count_segments(part.body).segments)


def _confirms(event: Outgoing) -> str:
    """The change of consent that its messages confirm."""
    return event.confirms if isinstance(event, TurnDone) else ""


def _today(channel: Channel) -> str:
    return topology.spent(channel.name, f"{datetime.now(UTC):%Y-%m-%d}")
