"""The states of parts and messages, and the tables that derive one from the other.

A part's state follows from its last event and Twilio's status, a message's from its parts. Pure tables: what is
not in them is refused with a ``KeyError``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from parley_common.events import TurnOutcome


class Phase(StrEnum):
    """What the last event about a part says."""

    ATTEMPTED = "attempted"
    WAITING = "waiting"
    FAILED = "failed"
    SENT = "sent"


class State(StrEnum):
    """Where a part or a message stands, as people are told."""

    RECEIVED = "received"
    HANDLED = "handled"
    UNANSWERED = "unanswered"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    CANCELED = "canceled"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


_OF_PHASE: Mapping[Phase, State] = {
    Phase.WAITING: State.QUEUED,
    Phase.ATTEMPTED: State.SENDING,
    Phase.SENT: State.SENDING,
    Phase.FAILED: State.FAILED,
}

_OF_STATUS: Mapping[str, State] = {
    "accepted": State.SENDING,
    "scheduled": State.SENDING,
    "queued": State.SENDING,
    "sending": State.SENDING,
    "sent": State.SENT,
    "canceled": State.CANCELED,
    "failed": State.FAILED,
    "undelivered": State.UNDELIVERED,
    "delivered": State.DELIVERED,
    "read": State.READ,
}

_OF_OUTCOME: Mapping[TurnOutcome, State] = {
    TurnOutcome.ANSWERED: State.HANDLED,
    TurnOutcome.FAILED: State.UNANSWERED,
    TurnOutcome.ECHO: State.HANDLED,
    TurnOutcome.KEYWORD: State.HANDLED,
    TurnOutcome.NOT_ALLOWED: State.HANDLED,
    TurnOutcome.UNREADABLE: State.UNANSWERED,
    TurnOutcome.LATE: State.UNANSWERED,
    TurnOutcome.CAPPED: State.UNANSWERED,
    TurnOutcome.LOOP: State.UNANSWERED,
    TurnOutcome.REFUSED: State.HANDLED,
    TurnOutcome.OFFLINE: State.UNANSWERED,
    TurnOutcome.NOT_STARTED: State.HANDLED,
    TurnOutcome.HANDED_OVER: State.UNANSWERED,
    TurnOutcome.HANDED_BACK: State.HANDLED,
    TurnOutcome.TAKEN: State.UNANSWERED,
    TurnOutcome.OPTED_OUT: State.HANDLED,
}
"""Unanswered: the person waits for an answer and got none, or an apology at most. Somebody should look at it."""

_PROGRESS = (State.QUEUED, State.SENDING, State.SENT, State.DELIVERED, State.READ)
BROKEN = (State.FAILED, State.UNDELIVERED, State.CANCELED)
"""The states of what the person never got, the gravest first."""


def part_state(phase: Phase, status: str | None) -> State:
    """A part's state. What Twilio says of it outweighs what the sender knew."""
    return _OF_PHASE[phase] if status is None else _OF_STATUS[status]


def message_state(parts: Sequence[State], of: int) -> State:
    """The state of a message with ``of`` parts, some of which may not have been begun.

    One broken part breaks the message; else it is as far as the part that is least far.
    """
    for state in BROKEN:
        if state in parts:
            return state
    places = [_PROGRESS.index(state) for state in parts]
    places += [0] * (of - len(parts))
    if not any(places):
        return State.QUEUED
    return _PROGRESS[max(min(places), 1)]


def inbound_state(outcome: TurnOutcome | None) -> State:
    """A text is received until a turn has ended that covers it; then the outcome tells."""
    return State.RECEIVED if outcome is None else _OF_OUTCOME[outcome]
