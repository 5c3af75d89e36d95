"""What the API answers, as JSON. A field is added with a default and never renamed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import asdict

from parley_common.events import Media, Priority, TurnOutcome
from parley_status.conversations import Conversation
from parley_status.delivery import RANKS
from parley_status.messages import Direction, Message
from parley_status.parts import Failure, Part, Report, failure_of
from parley_status.states import State
from parley_status.takeovers import Takeover


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """One status callback. ``known`` is false for a status that is in no table and changed nothing."""

    sid: str
    status: str
    known: bool
    error_code: int | None
    at: datetime
    carrier_done_at: str | None


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """A part and its delivery history, oldest first. ``conflict`` holds final statuses that contradict.

    ``asked``: how often Twilio was asked for its delivery, ``asked_at`` when last.
    """

    id: str
    part: int
    of: int
    sid: str | None
    body: str | None
    segments: int
    state: State
    status: str | None
    status_at: datetime | None
    error_code: int | None
    conflict: tuple[str, ...]
    failure: Failure | None
    attempts: int
    attempted_at: datetime | None
    sent_at: datetime | None
    failed_at: datetime | None
    asked: int
    asked_at: datetime | None
    reports: tuple[ReportView, ...]


class MessageLine(msgspec.Struct, frozen=True, kw_only=True):
    """A message as a conversation lists it. ``turn`` groups texts and their replies.

    ``origin``: what a message of ours was written as; None for a text of a person.
    """

    id: str
    conversation: str
    channel: str
    direction: Direction
    contact: str
    our_address: str
    body: str
    media: tuple[Media, ...]
    created_at: datetime
    turn: int | None
    outcome: TurnOutcome | None
    origin: Priority | None
    state: State
    segments: int
    failure: Failure | None


class MessageView(MessageLine, frozen=True, kw_only=True):
    """A message with its parts."""

    parts: tuple[PartView, ...]


class TakenView(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers in place of the brain, and until when; ``by`` is empty where somebody is waited for."""

    by: str
    until: datetime


class ConversationLine(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation as a list shows it. ``taken``: a person answers here, None where the brain does."""

    id: str
    channel: str
    contact: str
    opted_out: bool
    last_activity: datetime
    taken: TakenView | None = None


class ConversationView(ConversationLine, frozen=True, kw_only=True):
    """A conversation and a page of its messages, oldest first; ``before`` asks for the page before it."""

    messages: tuple[MessageLine, ...]
    before: str | None


class ConversationsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of conversations, newest activity first; ``before`` asks for the next."""

    conversations: tuple[ConversationLine, ...]
    before: str | None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a request and what to do."""

    code: str
    message: str


class ProblemView(msgspec.Struct, frozen=True, kw_only=True):
    """Every error has this shape."""

    error: Problem


def view_line(message: Message) -> MessageLine:
    """A message in a list."""
    return MessageLine(
        id=message.id,
        conversation=message.conversation,
        channel=message.channel,
        direction=message.direction,
        contact=message.contact,
        our_address=message.our_address,
        body=message.body,
        media=msgspec.json.decode(message.media, type=tuple[Media, ...]),
        created_at=message.created_at,
        turn=message.turn,
        outcome=message.outcome,
        origin=message.origin,
        state=message.state,
        segments=message.segments,
        failure=_message_failure(message),
    )


def view_message(message: Message, parts: Sequence[PartView]) -> MessageView:
    """A message with its parts."""
    return MessageView(**asdict(view_line(message)), parts=tuple(parts))


def view_part(part: Part, reports: Sequence[Report]) -> PartView:
    """A part with the reports about it, which come oldest first."""
    return PartView(
        id=part.part_id,
        part=part.part,
        of=part.of,
        sid=part.sid,
        body=part.body,
        segments=part.segments,
        state=part.state,
        status=part.status,
        status_at=part.status_at,
        error_code=part.error_code,
        conflict=tuple(part.conflict.split(",")) if part.conflict else (),
        failure=failure_of(part),
        attempts=part.attempts,
        attempted_at=part.attempted_at,
        sent_at=part.sent_at,
        failed_at=part.failed_at,
        asked=part.asked,
        asked_at=part.asked_at,
        reports=tuple(_view_report(report) for report in reports),
    )


def view_conversation(conversation: Conversation, takeover: Takeover | None) -> ConversationLine:
    """A conversation in a list. ``takeover``: one that holds."""
    return ConversationLine(
        id=conversation.id,
        channel=conversation.channel,
        contact=conversation.contact,
        opted_out=conversation.opted_out,
        last_activity=conversation.last_activity,
        taken=_view_taken(takeover),
    )


def view_page(line: ConversationLine, messages: Sequence[Message], before: str | None) -> ConversationView:
    """A conversation with a page of its messages."""
    lines = tuple(view_line(message) for message in messages)
    return ConversationView(**asdict(line), messages=lines, before=before)


def _view_taken(takeover: Takeover | None) -> TakenView | None:
    if takeover is None or takeover.until is None:
        return None
    return TakenView(by=takeover.taken_by, until=takeover.until)


def _view_report(report: Report) -> ReportView:
    return ReportView(
        sid=report.sid,
        status=report.status,
        known=report.status in RANKS,
        error_code=report.error_code,
        at=report.at,
        carrier_done_at=report.carrier_done_at,
    )


def _message_failure(message: Message) -> Failure | None:
    if message.failure_reason is None:
        return None
    return Failure(kind=message.failure, code=message.failure_code, reason=message.failure_reason)
