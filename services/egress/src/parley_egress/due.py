"""When a part may be tried: not before its time or the end of a hold, no notification in quiet hours. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from parley_common.domain.quiet_hours import QuietHours
from parley_common.events import DeliveryReport, Priority
from parley_egress.chain import End
from parley_egress.outcome import hold_after, hold_after_code
from parley_egress.parts import Part


def wait_s(
    part: Part, end: End, before: DeliveryReport | None, now: datetime, quiet: QuietHours | None = None
) -> float:
    """For how many seconds the conversation is to be left alone, 0.0 where the part may be tried.

    ``end``: of the chain; ``before``: what Twilio reported of the text before this one; ``quiet``: the channel's
    quiet hours.
    """
    times = [part.origin.not_before or now]
    if end.failure is not None:
        times.append(end.stored_at + timedelta(seconds=hold_after(end.failure)))
    if before is not None:
        times.append(before.at + timedelta(seconds=hold_after_code(before.error_code)))
    moment = max(now, *times)
    if quiet is not None and is_quiet(part, moment, quiet):
        moment = quiet.over_at(moment)
    return (moment - now).total_seconds()


def is_quiet(part: Part, moment: datetime, quiet: QuietHours | None) -> bool:
    """Whether the part may not go because of the hour. Only what nobody asked for waits."""
    return quiet is not None and part.origin.priority is Priority.NOTIFICATION and quiet.hold(moment)
