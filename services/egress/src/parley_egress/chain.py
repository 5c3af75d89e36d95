"""A conversation's chain of sends: what its last event says is to be done next. Pure.

The chain is one subject for a whole lane of the conversation, so its end is the cursor of egress: which part of
which message of which turn was last, and what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from parley_common.events import AnyEvent, FailureClass, PartAttempted, PartFailed, PartSent, SendEvent, Slot


class Standing(Enum):
    """What the chain's end says."""

    EMPTY = auto()
    IN_DOUBT = auto()
    TRY_AGAIN = auto()
    MORE_PARTS = auto()
    MESSAGE_OVER = auto()


_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, kw_only=True)
class End:
    """The chain's subject, its last event, the event's sequence (0: none), and when it was stored."""

    chain: str
    seq: int = 0
    event: SendEvent | None = None
    stored_at: datetime = _LONG_AGO

    @property
    def standing(self) -> Standing:
        """What is to be done next."""
        match self.event:
            case None:
                return Standing.EMPTY
            case PartAttempted():
                return Standing.IN_DOUBT
            case PartSent(slot=slot, of=of):
                return Standing.MORE_PARTS if slot.part + 1 < of else Standing.MESSAGE_OVER
            case PartFailed(final=final):
                return Standing.MESSAGE_OVER if final else Standing.TRY_AGAIN

    @property
    def attempt_seq(self) -> int:
        """The sequence of the attempt that the last event is, or ends; 0 where there was none."""
        match self.event:
            case PartAttempted():
                return self.seq
            case PartSent(attempted=attempted) | PartFailed(attempted=attempted):
                return attempted
            case None:
                return 0

    @property
    def failure(self) -> FailureClass | None:
        """Why the part at the end was not sent and is to be tried again; None where that isn't so."""
        return self.event.failure if isinstance(self.event, PartFailed) and not self.event.final else None

    @property
    def slot(self) -> Slot | None:
        """Where the last event stands."""
        return self.event.slot if self.event else None


def fold(chain: str, event: AnyEvent, seq: int, stored_at: datetime) -> End:
    """The end after this event. Raises ``ValueError`` for one that has no place in the chain."""
    if not isinstance(event, PartAttempted | PartSent | PartFailed):
        raise ValueError(f"{type(event).__name__} has no place in a chain of sends")
    return End(chain=chain, seq=seq, event=event, stored_at=stored_at)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The next message to look at: the turn at (or first after) this sequence, and the message in it."""

    turn: int
    message: int


def after(end: End) -> Place:
    """Where to go on once the message at the chain's end is over."""
    if end.slot is None:
        return Place(turn=1, message=0)
    return Place(turn=end.slot.turn, message=end.slot.message + 1)
