"""Whether a text comes in time for an answer. Pure.

After an outage nobody wants last night's answers, and after a restore nobody can tell what was answered since the
backup was taken. Such texts end their turn without a brain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from parley_common.events import InboundMessage


class Standing(Enum):
    """``FRESH``: to be answered. ``LATE``: too old. ``UNKNOWN``: perhaps answered before a restore."""

    FRESH = "fresh"
    LATE = "late"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When texts are looked at, and by what.

    ``max_age``: of a text that is still answered, None for no limit. ``restored_at``: when a backup was last
    restored, None where none ever was.
    """

    now: datetime
    max_age: timedelta | None = None
    restored_at: datetime | None = None


def standing(text: InboundMessage, moment: Moment) -> Standing:
    """How a text stands by the time at which Twilio received it."""
    if moment.restored_at is not None and text.at <= moment.restored_at:
        return Standing.UNKNOWN
    if moment.max_age is not None and moment.now - text.at > moment.max_age:
        return Standing.LATE
    return Standing.FRESH


def standing_of(texts: Sequence[InboundMessage], moment: Moment) -> Standing:
    """How a turn stands: unknown if one of its texts is, late only if all of them are."""
    found = {standing(text, moment) for text in texts}
    if Standing.UNKNOWN in found:
        return Standing.UNKNOWN
    return Standing.LATE if found == {Standing.LATE} else Standing.FRESH
