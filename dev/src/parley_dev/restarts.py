"""When a process that ended is started again. Pure: exits go in, a delay or a verdict comes out."""

from __future__ import annotations

from dataclasses import dataclass

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 10.0
_STEADY_AFTER_S = 30.0
_REFUSED_WITHIN_S = 10.0
_REFUSALS = 5
_REFUSAL_CODES = frozenset({1, 2})


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a process ended: its exit code, minus the signal's number where a signal ended it."""

    code: int
    up_s: float
    was_ready: bool

    @property
    def refused(self) -> bool:
        """Whether it looks like a settings error: the process said no before it was ever ready.

        Ten seconds, since on a busy machine the imports alone may take some.
        """
        return self.code in _REFUSAL_CODES and self.up_s < _REFUSED_WITHIN_S and not self.was_ready


@dataclass(frozen=True, kw_only=True)
class Restarts:
    """How often a process ended lately, and how often in a row it refused to start."""

    count: int = 0
    refusals: int = 0

    def after(self, ended: Exit) -> Restarts:
        """The record with one more exit; a process that ran for a while begins anew."""
        steady = ended.up_s >= _STEADY_AFTER_S
        return Restarts(count=1 if steady else self.count + 1, refusals=self.refusals + 1 if ended.refused else 0)

    @property
    def delay_s(self) -> float:
        """How long to wait before the next start."""
        return min(_FIRST_DELAY_S * 2.0 ** min(self.count - 1, 10), _LONGEST_DELAY_S)

    @property
    def is_hopeless(self) -> bool:
        """Whether starting it again makes no sense."""
        return self.refusals >= _REFUSALS
