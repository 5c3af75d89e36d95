"""What cannot be processed goes to the dead letters, with its reason and where it is, never with what it says."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.events import DeadLetter


async def bury(bus: Bus, stored: Stored, reason: str, *, service: str, channel: str = "") -> None:
    """Writes a dead letter for a stored message of a conversation; writing it twice in a row stores one."""
    name = f"{stored.subject}\0{stored.seq}"
    letter = DeadLetter(
        id=hashlib.sha256(name.encode()).hexdigest()[:32],
        at=datetime.now(UTC),
        channel=channel,
        conversation=topology.conversation_of(stored.subject),
        stream=topology.stream_of(stored.subject),
        sequence=stored.seq,
        subject=stored.subject,
        reason=reason,
        service=service,
    )
    await bus.publish(topology.dead_letter(service), letter, dedupe=True)
