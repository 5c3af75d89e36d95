"""When a Twilio account is left in peace: after failures in a row only a probe goes now and then. Pure.

An attempt that ends in a 5xx or without an answer leaves its part in doubt, so that with Twilio down each one
costs a wait and a look into a log. What waits meanwhile costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

OPENS_AFTER = 5
FIRST_PROBE_S = 1.0
MOST_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """``failures`` in a row; ``opened``: how often in a row without a success between; ``probe_at_s``: while open,
    when the next probe may go, on the clock that ``now_s`` is read from.
    """

    failures: int = 0
    opened: int = 0
    probe_at_s: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether only probes may go."""
        return self.opened > 0

    def wait_s(self, now_s: float) -> float:
        """How long until something may be posted."""
        return max(0.0, self.probe_at_s - now_s) if self.is_open else 0.0

    def probed(self, now_s: float) -> Breaker:
        """The breaker after a probe was let through: the next one goes an interval later."""
        return Breaker(failures=self.failures, opened=self.opened, probe_at_s=now_s + _interval_s(self.opened))

    def failed(self, now_s: float, *, is_probe: bool, at_once: bool = False) -> Breaker:
        """The breaker after a failure; ``at_once`` for one that every other POST would meet too.

        While it is open only a probe tells something new: what was under way before may fail long after.
        """
        if self.is_open and not is_probe:
            return self
        failures = self.failures + 1
        if not (self.is_open or at_once or failures >= OPENS_AFTER):
            return Breaker(failures=failures)
        opened = self.opened + 1
        return Breaker(failures=failures, opened=opened, probe_at_s=now_s + _interval_s(opened))


CLOSED = Breaker()
"""The breaker after a success, and at first."""


def _interval_s(opened: int) -> float:
    return min(MOST_S, FIRST_PROBE_S * 2.0 ** (min(opened, 16) - 1))
