"""When a burst of texts is over and becomes one turn. Pure."""

from __future__ import annotations

MOST_TEXTS = 20
_PATIENCE_WINDOWS = 4


def wait_s(*, age_s: float, waited_s: float, window_s: float) -> float:
    """How long to wait for one more text, in seconds; 0 where the turn is to begin.

    A burst ends one window after its last text, which is ``age_s`` old by the broker's clock, or four windows
    after we began to wait by our own: the two clocks may differ.
    """
    if waited_s >= window_s * _PATIENCE_WINDOWS:
        return 0.0
    return max(0.0, window_s - max(0.0, age_s))
