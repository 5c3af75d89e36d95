"""How long to wait before a part is tried again. Pure: the chance comes in."""

from __future__ import annotations

BASE_S = 0.5
MOST_S = 30.0


def delay_s(attempt: int, chance: float) -> float:
    """Exponential with full jitter: between a tenth and all of ``0.5 s * 2^attempt``, at most 30 s.

    ``attempt`` counts from 1, ``chance`` is uniform in [0, 1).
    """
    ceiling_s = min(MOST_S, BASE_S * 2.0 ** min(attempt, 16))
    return ceiling_s * (0.1 + 0.9 * chance)
