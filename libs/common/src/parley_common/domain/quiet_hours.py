"""The hours in which nobody is texted unasked, by the clock on the wall of one time zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORM = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2}) +(\S+)")
_HINT = "write them as in 21:00-08:00 America/New_York"


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """From ``start`` until ``end``, which may be on the day after."""

    start: time
    end: time
    zone: ZoneInfo

    def over_at(self, now: datetime) -> datetime:
        """When it may be texted: ``now`` outside of these hours, else their end."""
        here = now.astimezone(self.zone)
        clock = here.time().replace(tzinfo=None)
        if not self._holds(clock):
            return now
        ends_tomorrow = clock >= self.end
        day = here.date() + timedelta(days=1 if ends_tomorrow else 0)
        return datetime.combine(day, self.end, self.zone).astimezone(now.tzinfo)

    def _holds(self, clock: time) -> bool:
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def parse_quiet_hours(text: str) -> QuietHours:
    """Reads ``21:00-08:00 America/New_York``; raises ``ValueError`` saying what to mend."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} are no hours with a zone, {_HINT}")
    try:
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    except ValueError:
        raise ValueError(f"{text!r} has a time that no clock shows, {_HINT}") from None
    if start == end:
        raise ValueError(f"{text!r} starts when it ends, {_HINT}")
    try:
        zone = ZoneInfo(found[5])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{found[5]} is no time zone of this machine, {_HINT}") from None
    return QuietHours(start=start, end=end, zone=zone)
