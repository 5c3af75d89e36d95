"""A sender's rate: when the next part may go, so that its segments stay within what it is allowed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_PART = 24
"""Segments of 1,600 characters in UCS-2, the most that one part can have."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """``free_at_s``: when the sender may send again, on the clock that ``now_s`` is read from."""

    segments_per_s: float
    free_at_s: float

    def wait_s(self, now_s: float) -> float:
        """How long until something may be sent."""
        return max(0.0, self.free_at_s - now_s)

    def take(self, segments: int, now_s: float) -> Bucket:
        """The bucket after a part of so many segments goes now: nothing is saved up while the sender is idle."""
        start_s = max(now_s, self.free_at_s)
        return Bucket(
            segments_per_s=self.segments_per_s, free_at_s=start_s + max(1, segments) / self.segments_per_s
        )


def new_owner(segments_per_s: float, now_s: float, owed: int = 1) -> Bucket:
    """An empty bucket: the owner before may have sent ``owed`` segments a moment ago."""
    return Bucket(segments_per_s=segments_per_s, free_at_s=now_s + owed / segments_per_s)
