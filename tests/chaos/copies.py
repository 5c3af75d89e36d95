"""Several copies of one part at Twilio: a broken promise, or the residue that is stated. Pure.

The residue: a process that froze between its last look at the clock and its POST, and sent when others had looked
for evidence in vain. ``test_residue`` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaos.stories import Story, marks_in
from parley_common.events import PartAttempted

_CLOCKS_S = 0.05
"""By how much a time of the broker and one of the simulator may differ on one machine."""


def is_residue(copies: Sequence[float], attempts: Sequence[float], settle_s: float) -> bool:
    """Whether these copies can only be explained by a POST that left later than settle after its attempt.

    Each attempt makes one copy at most. If every copy can be paired with an attempt of its own from at most
    ``settle_s`` before, the evidence was there to be found: no residue. Nor is it one where there are fewer
    attempts than copies.
    """
    if len(_paired(copies, attempts, float("inf"))) < len(copies):
        return False
    return len(_paired(copies, attempts, settle_s)) < len(copies)


def _paired(copies: Sequence[float], attempts: Sequence[float], within_s: float) -> list[tuple[float, float]]:
    """Copies with an attempt each, as many as possible: windows of one length are best served in order."""
    pairs, free = [], sorted(attempts)
    for copy in sorted(copies):
        fitting = [attempt for attempt in free if -_CLOCKS_S <= copy - attempt <= within_s]
        if fitting:
            free.remove(fitting[0])
            pairs.append((copy, fitting[0]))
    return pairs


def attempts_at(story: Story, mark: int) -> list[float]:
    """When the attempts at the part with this mark were stored, in seconds since the epoch."""
    return [
        send.at.timestamp()
        for send in story.sends
        if isinstance(send.event, PartAttempted) and mark in marks_in(send.event.body)
    ]
