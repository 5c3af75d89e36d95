"""Where a conversation stands, folded from the last event of its own chain. Pure.

The chain's last event is the cursor: every event carries ``upto``, so that this one read tells all.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley_common.events import AnyEvent, TurnBegun, TurnDone


@dataclass(frozen=True, kw_only=True)
class Tail:
    """``seq``: of the last own event, 0 where there is none. ``upto``: the last text that is dealt with.

    ``begun``: a turn that was begun and not ended.
    """

    seq: int = 0
    upto: int = 0
    begun: TurnBegun | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing of this conversation was ever dealt with."""
        return self.upto == 0


def fold(event: AnyEvent, seq: int) -> Tail:
    """The tail after this event. Raises ``ValueError`` for one that has no place in the chain."""
    match event:
        case TurnBegun():
            return Tail(seq=seq, upto=event.upto, begun=event)
        case TurnDone():
            return Tail(seq=seq, upto=event.upto)
        case _:
            raise ValueError(f"{type(event).__name__} has no place in a conversation's own chain")
