"""When a part may be tried: not before its time, and not before a hold is over. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from parley_common.events import DeliveryReport
from parley_egress.chain import End
from parley_egress.outcome import hold_after, hold_after_code
from parley_egress.parts import Part


def wait_s(part: Part, end: End, before: DeliveryReport | None, now: datetime) -> float:
    """For how many seconds the conversation is to be left alone, 0.0 where the part may be tried.

    ``end``: of the chain; ``before``: what Twilio reported of the text before this one.
    """
    times = [part.origin.not_before or now]
    if end.failure is not None:
        times.append(end.stored_at + timedelta(seconds=hold_after(end.failure)))
    if before is not None:
        times.append(before.at + timedelta(seconds=hold_after_code(before.error_code)))
    return max(0.0, (max(times) - now).total_seconds())
