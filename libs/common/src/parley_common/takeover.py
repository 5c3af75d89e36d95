"""A person takes a conversation over from the brain, and hands it back.

Both are events of the conversation's own chain, appended like a turn's end: an answer that a brain was working on
meanwhile is refused, and its texts wait for the person. Of two who take it, the later has it; both stand in the
chain. This module does not know who answers as the person.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import msgspec

from parley_common import topology
from parley_common.bus import Bus, Superseded
from parley_common.events import ConversationReleased, ConversationTaken, Taken
from parley_common.tail import Tail, fold


async def take(bus: Bus, channel: str, conversation: str, *, by: str, within: timedelta) -> ConversationTaken:
    """The person ``by`` answers for at most ``within``. Raises ``msgspec.DecodeError`` or ``ValueError`` where the
    chain ends in what this release does not know."""
    while True:
        tail, now = await _read(bus, conversation), datetime.now(UTC)
        event = ConversationTaken(
            id=secrets.token_hex(16),
            at=now,
            channel=channel,
            conversation=conversation,
            upto=tail.upto,
            tally=msgspec.structs.replace(tail.tally, taken=Taken(at=now, until=now + within, by=by)),
            lettered=tail.lettered,
        )
        if await _appended(bus, event, tail):
            return event


async def release(bus: Bus, channel: str, conversation: str) -> ConversationReleased:
    """The brain answers again. Raises as ``take`` does."""
    while True:
        tail = await _read(bus, conversation)
        event = ConversationReleased(
            id=secrets.token_hex(16),
            at=datetime.now(UTC),
            channel=channel,
            conversation=conversation,
            upto=tail.upto,
            tally=msgspec.structs.replace(tail.tally, taken=None),
            lettered=tail.lettered,
        )
        if await _appended(bus, event, tail):
            return event


async def _read(bus: Bus, conversation: str) -> Tail:
    stored = await bus.last(topology.own(conversation))
    return Tail() if stored is None else fold(stored.event(), stored.seq)


async def _appended(bus: Bus, event: ConversationTaken | ConversationReleased, tail: Tail) -> bool:
    subject, chain = topology.takeover(event.conversation), topology.own(event.conversation)
    try:
        await bus.append(subject, event, after=tail.seq, chain=chain)
    except Superseded:
        return False
    return True
