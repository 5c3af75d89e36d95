"""What cannot be processed goes to the dead letters, with its reason and where it is, never with what it says."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from prometheus_client import Counter

from parley_common import topology, tracing
from parley_common.bus import Bus, Stored
from parley_common.events import DeadLetter
from parley_common.metrics import begin

_OF_CONVERSATIONS = ("conv", "report")

_letters = Counter("parley_dead_letters", "Dead letters written, by the service that gave up.", ["service"])


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a message is stored, for those who have it from a consumer and not from ``Bus``."""

    subject: str
    seq: int
    headers: Mapping[str, str] = field(default_factory=dict)


def count_letters(service: str) -> None:
    """Has the letters of this service counted from zero on."""
    begin(_letters, (service,))


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
    begun_ns = time.time_ns()
    before = await bus.last(subject)
    seq = await bus.publish(subject, letter, dedupe=True)
    if before is None or seq > before.seq:
        _letters.labels(service).inc()
        _trace(stored, letter, begun_ns)


def _trace(stored: Stored | Place, letter: DeadLetter, begun_ns: int) -> None:
    """The span of a new letter: below the work that gave up, or else below what wrote the message."""
    cause = tracing.cause(stored.headers, stored.time if isinstance(stored, Stored) else None)
    if tracing.current().get_span_context().is_valid:
        cause = tracing.Cause(parent=None)
    with tracing.span(
        "dead letter",
        parent=cause.parent,
        links=cause.links,
        attributes={"messaging.destination.name": letter.stream, "parley.sequence": letter.sequence},
        begun_ns=begun_ns,
    ) as span:
        tracing.fail(span, "dead_letter")


def letter_id(service: str, subject: str, seq: int) -> str:
    """The letter's name: 32 hex digits, the same whenever this service gives up on this message."""
    return hashlib.sha256(f"{service}\0{subject}\0{seq}".encode()).hexdigest()[:32]


def _conversation(subject: str) -> str:
    """The conversation the message belongs to, empty where it belongs to none."""
    return topology.conversation_of(subject) if subject.split(".", 1)[0] in _OF_CONVERSATIONS else ""
