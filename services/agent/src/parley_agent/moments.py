"""Now, and what an operator said that reaches into the past: when a backup was last restored.

What was said is read from the stream's leader, once a second at most.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from parley_agent.lateness import Moment
from parley_common.bus import Bus
from parley_common.control import read_restored

_STALE_S = 1.0


class Moments:
    """Tells the moment. ``max_age_s``: how old a text may be that is answered, 0 for any age."""

    def __init__(self, bus: Bus, *, max_age_s: float) -> None:
        self._bus = bus
        self._max_age = timedelta(seconds=max_age_s) if max_age_s else None
        self._restored_at: datetime | None = None
        self._read_at_s = float("-inf")

    async def now(self) -> Moment:
        """This moment. Raises one of ``BROKER_TROUBLE`` where the operator cannot be heard."""
        if time.monotonic() - self._read_at_s > _STALE_S:
            asked_at_s = time.monotonic()
            restored = await read_restored(self._bus)
            self._restored_at = None if restored is None else restored.at
            self._read_at_s = asked_at_s
        return Moment(now=datetime.now(UTC), max_age=self._max_age, restored_at=self._restored_at)
