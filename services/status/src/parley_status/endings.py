"""What is counted of a delivery: that a part has come to its end, how long that took, that ends contradict. Pure.

Counted is the change of a part's row, so a redelivered event counts nothing. A database that is built anew sees
all changes once more; so only those count whose news is younger than an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parley_status.delivery import FINAL_RANK, RANKS
from parley_status.parts import Part
from parley_status.states import BROKEN

COUNTED_FOR = timedelta(hours=1)

FINAL = tuple(word for word, rank in RANKS.items() if rank >= FINAL_RANK)
"""The words after which nothing more is expected."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A part's row before and after a batch, and when the newest of the events was that changed it."""

    before: Part | None
    after: Part
    at: datetime

    def is_news(self, now: datetime) -> bool:
        """Whether it is young enough to be counted."""
        return now - self.at < COUNTED_FOR

    @property
    def has_ended(self) -> bool:
        """Whether the part has its first final status with this change."""
        return self.after.status in FINAL and (self.before is None or self.before.status not in FINAL)

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without having arrived."""
        return self.has_ended and self.after.state in BROKEN

    @property
    def contradicts(self) -> bool:
        """Whether a second final status contradicts the first since this change."""
        return self.after.conflict is not None and (self.before is None or self.before.conflict is None)

    @property
    def took_s(self) -> float | None:
        """From the part's being with Twilio to its final status; None where only one of the two is known.

        Where a status callback came before the answer to the POST, or was the proof of it, the attempt counts.
        """
        part = self.after
        sent_at, ended_at = part.sent_at, part.status_at
        if ended_at is None:
            return None
        if sent_at is None or sent_at > ended_at:
            sent_at = part.attempted_at
        return None if sent_at is None else max(0.0, (ended_at - sent_at).total_seconds())
