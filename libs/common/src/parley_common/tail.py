"""Where a conversation stands, folded from the last event of its own chain. Pure.

The chain's last event is the cursor: every event carries ``upto`` and the tally, so that this one read tells all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from parley_common.events import (
    AnyEvent,
    ConversationReleased,
    ConversationTaken,
    Tally,
    TurnBegun,
    TurnDone,
    TurnOutcome,
)

MOST_PAST = 20
"""Turns that a brain can be told of."""

_TALKED = (TurnOutcome.ANSWERED, TurnOutcome.HANDED_OVER)
"""What a brain is told of later: its answers, and that it handed over."""

_WITH_LETTER = (TurnOutcome.FAILED, TurnOutcome.UNREADABLE)


@dataclass(frozen=True, kw_only=True)
class Tail:
    """``seq``: of the last own event, 0 where there is none. ``upto``: the last text that is dealt with.

    ``begun``: a turn that was begun and not ended. ``lettered``: the end of a turn that is a dead letter as well,
    where no turn followed it.
    """

    seq: int = 0
    upto: int = 0
    begun: TurnBegun | None = None
    tally: Tally = field(default_factory=Tally)
    lettered: TurnDone | None = None


def fold(event: AnyEvent, seq: int) -> Tail:
    """The tail after this event. Raises ``ValueError`` for one that has no place in the chain."""
    match event:
        case TurnBegun():
            return Tail(seq=seq, upto=event.upto, begun=event, tally=event.tally)
        case TurnDone():
            lettered = event if event.outcome in _WITH_LETTER else None
            return Tail(seq=seq, upto=event.upto, tally=_tally(event, seq), lettered=lettered)
        case ConversationTaken() | ConversationReleased():
            return Tail(seq=seq, upto=event.upto, tally=event.tally, lettered=event.lettered)
        case _:
            raise ValueError(f"{type(event).__name__} has no place in a conversation's own chain")


def _tally(done: TurnDone, seq: int) -> Tally:
    """What the next turn starts from. A release that counted nothing answered people too."""
    if done.outcome not in _TALKED:
        return done.tally
    past = (*done.tally.past, seq)[-MOST_PAST:]
    greeted = done.tally.greeted or done.outcome is TurnOutcome.ANSWERED
    return msgspec.structs.replace(done.tally, greeted=greeted, past=past)
