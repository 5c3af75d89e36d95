"""The dead letters of turns, written after the turn's end: whose end was refused has buried nothing.

A worker may die between the two writes. Its bell rings again then, and whoever drains the conversation next finds
the end as its last event and writes the letter. Its id comes from the text: the broker keeps one a day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.dead_letters import bury
from parley_common.tail import Tail

_KNOWN_FOR = timedelta(hours=20)
"""Less than the broker's dedupe window, after which a letter would be written twice."""


async def bury_text(bus: Bus, stored: Stored, reason: str, channel: str) -> None:
    """Writes the dead letter of a turn that ended so."""
    await bury(bus, stored, reason, service="agent", channel=channel)


async def bury_again(bus: Bus, tail: Tail) -> None:
    """Writes the letter that the last event calls for, if nobody has."""
    done = tail.lettered
    if done is None or datetime.now(UTC) - done.at > _KNOWN_FOR:
        return
    stored = await bus.next(topology.texts(done.conversation), seq=done.first)
    if stored is not None and stored.seq == done.first:
        await bury_text(bus, stored, f"its turn ended as {done.outcome.value}", done.channel)
