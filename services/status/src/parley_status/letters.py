"""Dead letters: the row of each, and how events change it, in any order. Pure; SQL is elsewhere."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parley_common.events import DeadLetter, LetterReplayed


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept: where the message stands that could not be processed, and why.

    It is open until it was replayed, and again where it was buried after that. ``stream`` is empty while nothing
    but its replay is known.
    """

    event_id: str
    service: str
    stream: str
    sequence: int
    subject: str
    reason: str
    at: datetime
    replayed_at: datetime | None = None


def letter_id(event: DeadLetter | LetterReplayed) -> str:
    """The letter that an event is about."""
    return event.letter if isinstance(event, LetterReplayed) else event.id


def fold_letter(letter: Letter | None, event: DeadLetter | LetterReplayed) -> Letter:
    """The letter after an event about it. The latest burial and the latest replay count."""
    if isinstance(event, LetterReplayed):
        row = letter or _unknown(event)
        replayed_at = max(event.at, row.replayed_at or event.at)
        return msgspec.structs.replace(row, replayed_at=replayed_at, at=row.at if row.stream else replayed_at)
    if letter is not None and letter.stream and (event.at, event.reason) <= (letter.at, letter.reason):
        return letter
    return Letter(
        event_id=event.id,
        service=event.service,
        stream=event.stream,
        sequence=event.sequence,
        subject=event.subject,
        reason=event.reason,
        at=event.at,
        replayed_at=letter.replayed_at if letter is not None else None,
    )


def _unknown(event: LetterReplayed) -> Letter:
    return Letter(event_id=event.letter, service="", stream="", sequence=0, subject="", reason="", at=event.at)
