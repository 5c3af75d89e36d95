"""What cannot be processed goes to the dead letters, with its reason and where it is, never with what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import Counter

from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.events import DeadLetter

_OF_CONVERSATIONS = ("conv", "report")

_letters = Counter("parley_dead_letters", "Dead letters written, by the service that gave up.", ["service"])


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a message is stored, for those who have it from a consumer and not from ``Bus``."""

    subject: str
    seq: int


async def bury(bus: Bus, stored: Stored | Place, reason: str, *, service: str, channel: str = "") -> None:
    """Writes a dead letter for a stored message; twice within a day by one service stores one."""
    letter = DeadLetter(
        id=letter_id(service, stored.subject, stored.seq),
        at=datetime.now(UTC),
        channel=channel,
        conversation=_conversation(stored.subject),
        stream=topology.stream_of(stored.subject),
        sequence=stored.seq,
        subject=stored.subject,
        reason=reason,
        service=service,
    )
    subject = topology.dead_letter(service)
    before = await bus.last(subject)
    seq = await bus.publish(subject, letter, dedupe=True)
    if before is None or seq > before.seq:
        _letters.labels(service).inc()


def letter_id(service: str, subject: str, seq: int) -> str:
    """The letter's name: 32 hex digits, the same whenever this service gives up on this message."""
    return hashlib.sha256(f"{service}\0{subject}\0{seq}".encode()).hexdigest()[:32]


def _conversation(subject: str) -> str:
    """The conversation the message belongs to, empty where it belongs to none."""
    return topology.conversation_of(subject) if subject.split(".", 1)[0] in _OF_CONVERSATIONS else ""
