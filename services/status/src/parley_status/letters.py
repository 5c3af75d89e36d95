"""Dead letters: the row of each, and the one this service writes for what it cannot fold. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parley_common.events import DeadLetter

_CONVERSATIONS_PREFIX = "conv."


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept: where the message stands that could not be processed, and why."""

    event_id: str
    service: str
    stream: str
    sequence: int
    subject: str
    reason: str
    at: datetime


def letter_of(event: DeadLetter) -> Letter:
    """The row of a dead letter."""
    return Letter(
        event_id=event.id,
        service=event.service,
        stream=event.stream,
        sequence=event.sequence,
        subject=event.subject,
        reason=event.reason,
        at=event.at,
    )


def dead_letter(
    *, service: str, stream: str, sequence: int, subject: str, reason: str, at: datetime
) -> DeadLetter:
    """The event for a message that cannot be folded. Its id follows from the message, so it is written once."""
    conversation = subject.split(".")[1] if subject.startswith(_CONVERSATIONS_PREFIX) else ""
    return DeadLetter(
        id=f"{service}-{stream}-{sequence}",
        at=at,
        channel="",
        conversation=conversation,
        stream=stream,
        sequence=sequence,
        subject=subject,
        reason=reason,
        service=service,
    )
