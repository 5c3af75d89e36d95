"""Messages and turns: their rows, and what a message's parts say about it. Pure; SQL is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from parley_common.events import InboundMessage, Media, Outgoing, Priority, TurnDone, TurnOutcome
from parley_status.parts import Part, failure_of
from parley_status.states import BROKEN, State, inbound_state, message_state


class Direction(StrEnum):
    """Who wrote a message."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is kept.

    ``sequence`` and ``position`` order a conversation: the stream sequence of the event that brought the
    message, and its place in that event. ``turn`` is the sequence of the turn that answered or wrote it,
    ``origin`` what a message of ours was written as. ``our_address`` is the number or Messaging Service on our
    side, ``media`` a JSON list.
    """

    id: str
    conversation: str
    channel: str
    direction: Direction
    contact: str
    our_address: str
    body: str
    media: str
    created_at: datetime
    sequence: int
    position: int
    state: State
    turn: int | None = None
    outcome: TurnOutcome | None = None
    origin: Priority | None = None
    segments: int = 0
    failure: str | None = None
    failure_code: int | None = None
    failure_reason: str | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a turn: it deals with the texts of sequence ``first`` to ``upto``."""

    sequence: int
    conversation: str
    first: int
    upto: int
    outcome: TurnOutcome
    at: datetime


def inbound_message(sequence: int, event: InboundMessage) -> Message:
    """The row of a text from a person, before any turn."""
    return Message(
        id=event.id,
        conversation=event.conversation,
        channel=event.channel,
        direction=Direction.INBOUND,
        contact=event.contact,
        our_address=event.recipient,
        body=event.body,
        media=_media(event.media),
        created_at=event.at,
        sequence=sequence,
        position=0,
        state=inbound_state(None),
        segments=event.segments,
    )


def outbound_messages(sequence: int, event: Outgoing) -> tuple[Message, ...]:
    """The rows of a turn's replies, or of what is texted without a turn; before any part."""
    return tuple(
        Message(
            id=reply.id,
            conversation=event.conversation,
            channel=event.channel,
            direction=Direction.OUTBOUND,
            contact=event.contact,
            our_address=event.sender,
            body=reply.text,
            media=_media(reply.media),
            created_at=event.at,
            sequence=sequence,
            position=position,
            state=State.QUEUED,
            turn=sequence if isinstance(event, TurnDone) else None,
            outcome=event.outcome if isinstance(event, TurnDone) else None,
            origin=Priority.REPLY if isinstance(event, TurnDone) else event.priority,
        )
        for position, reply in enumerate(event.messages)
    )


def turn_of(sequence: int, event: TurnDone) -> Turn:
    """The row of a turn's end."""
    return Turn(
        sequence=sequence,
        conversation=event.conversation,
        first=event.first,
        upto=event.upto,
        outcome=event.outcome,
        at=event.at,
    )


def handle(message: Message, turns: Sequence[Turn]) -> Message:
    """An inbound message with the turn that dealt with it, if that is among these."""
    for turn in turns:
        if turn.conversation == message.conversation and turn.first <= message.sequence <= turn.upto:
            return msgspec.structs.replace(
                message, turn=turn.sequence, outcome=turn.outcome, state=inbound_state(turn.outcome)
            )
    return message


def settle_message(message: Message, parts: Sequence[Part]) -> Message:
    """An outbound message with what its parts come to; the first part that broke gives the failure.

    Where an operator had it sent again it has parts of two events, and those of the later one count.
    """
    newest = max((part.turn for part in parts), default=0)
    ordered = sorted((part for part in parts if part.turn == newest), key=lambda part: part.part)
    failures = (failure_of(part) for part in ordered if part.state in BROKEN)
    failure = next((failure for failure in failures if failure is not None), None)
    return msgspec.structs.replace(
        message,
        state=message_state([part.state for part in ordered], max((part.of for part in ordered), default=1)),
        segments=sum(part.segments for part in ordered),
        failure=failure.kind if failure else None,
        failure_code=failure.code if failure else None,
        failure_reason=failure.reason if failure else None,
    )


def _media(media: Sequence[Media]) -> str:
    return msgspec.json.encode(media).decode()
