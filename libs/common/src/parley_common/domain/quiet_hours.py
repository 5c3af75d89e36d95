"""The hours in which nobody is texted unasked, by the clock on the wall of one time zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORM = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2}) +(\S+)")
_HINT = "write them as in 21:00-08:00 America/New_York"
_EXACT = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """From ``start`` until ``end``, which may be on the day after.

    It is quiet whenever the clock shows such a time: an hour that the clock goes through twice counts twice, one
    that it leaps over does not count.
    """

    start: time
    end: time
    zone: ZoneInfo

    def over_at(self, now: datetime) -> datetime:
        """When it may be texted: ``now`` outside of these hours, else their end."""
        if not self.hold(now):
            return now
        here = now.astimezone(self.zone)
        day = here.date() + timedelta(days=1 if here.time() >= self.end else 0)
        end = datetime.combine(day, self.end, self.zone)
        first, second = (end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        if first.astimezone(self.zone).time() != self.end:
            found = self._after_leap(max(now, second), first)
        else:
            found = first if first > now else second
        return found.astimezone(now.tzinfo)

    def _after_leap(self, quiet: datetime, over: datetime) -> datetime:
        """When a clock that never shows ``end`` leaps over it, between these two moments."""
        while over - quiet > _EXACT:
            middle = quiet + (over - quiet) / 2
            quiet, over = (middle, over) if self.hold(middle) else (quiet, middle)
        return over

    def hold(self, moment: datetime) -> bool:
        """Whether it is quiet at that moment."""
        clock = moment.astimezone(self.zone).time()
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
