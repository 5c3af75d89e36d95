"""A part of a reply: what is texted next, where it stands, and what follows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from parley_common.domain.phone_numbers import Network, network_of
from parley_common.events import Media, OutboundMessage, Outgoing, PartAttempted, Priority, Slot
from parley_egress.rendering import media_of, part_id


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a part belongs to, a turn or a message without one, where and when it was stored.

    Its headers carry the trace.
    """

    subject: str
    seq: int
    event: Outgoing
    headers: Mapping[str, str]
    stored_at: datetime

    @property
    def priority(self) -> Priority:
        """Who it goes before."""
        return self.event.priority if isinstance(self.event, OutboundMessage) else Priority.REPLY

    @property
    def network(self) -> Network:
        """What carries it to the person."""
        return network_of(self.event.contact)

    @property
    def not_before(self) -> datetime | None:
        """When it may go, None where it may at once."""
        return self.event.not_before if isinstance(self.event, OutboundMessage) else None


@dataclass(frozen=True, kw_only=True)
class Part:
    """``attempts``: how many were made before, ``doubts``: how many of those without a known end.

    ``rest``: the bodies after this one.
    """

    origin: Origin
    slot: Slot
    of: int
    body: str
    rest: tuple[str, ...]
    attempts: int = 0
    doubts: int = 0

    @property
    def message_id(self) -> str:
        """The reply it belongs to."""
        return self.origin.event.messages[self.slot.message].id

    @property
    def part_id(self) -> str:
        """Its own name, carried by its status callbacks."""
        return part_id(self.message_id, self.slot.part)

    @property
    def media(self) -> tuple[Media, ...]:
        """The attachments that go with it: all of the reply's with its first part, where so many fit."""
        return media_of(self.origin.event.messages[self.slot.message], self.slot.part, self.origin.network)


def first_part(origin: Origin, message: int, bodies: tuple[str, ...]) -> Part:
    """The first part of a reply that nothing was sent of."""
    slot = Slot(turn=origin.seq, message=message, part=0)
    return Part(origin=origin, slot=slot, of=len(bodies), body=bodies[0], rest=bodies[1:])


def same_part(origin: Origin, attempt: PartAttempted) -> Part:
    """The part that was attempted, once more."""
    return Part(
        origin=origin,
        slot=attempt.slot,
        of=attempt.of,
        body=attempt.body,
        rest=attempt.rest,
        attempts=attempt.attempt,
        doubts=attempt.doubts,
    )


def following_part(origin: Origin, attempt: PartAttempted) -> Part:
    """The part after one that was sent, as it was split then."""
    slot = Slot(turn=attempt.slot.turn, message=attempt.slot.message, part=attempt.slot.part + 1)
    return Part(origin=origin, slot=slot, of=attempt.of, body=attempt.rest[0], rest=attempt.rest[1:])
