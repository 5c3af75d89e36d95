"""Times as an operator writes them: ``2h`` ago, or a moment in ISO 8601, in UTC where it names no zone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_moment(text: str, now: datetime) -> datetime:
    """The moment that is meant; raises ``ValueError`` with a sentence where none is."""
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: write 30m, 2h, 3d or 2026-11-21T10:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
