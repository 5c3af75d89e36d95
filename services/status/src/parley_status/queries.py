"""What the API asks of the database, and which parts Twilio is asked for.

Pages end at a cursor, so that what comes in meanwhile shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection, or_, select, tuple_

from parley_status import schema
from parley_status.asking import MOST_ASKED, wait_after
from parley_status.conversations import Conversation
from parley_status.messages import Message
from parley_status.parts import Part, Report, concerns
from parley_status.store import chosen, fetch, load
from parley_status.takeovers import Takeover
from parley_status.views import (
    ConversationsView,
    ConversationView,
    MessageView,
    PartView,
    view_conversation,
    view_message,
    view_page,
    view_part,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Place(msgspec.Struct, frozen=True):
    """A message's place in its conversation; its text form is the cursor of a page."""

    sequence: int
    position: int

    def __str__(self) -> str:
        return f"{self.sequence}-{self.position}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises ``ValueError`` where the text is no place."""
        sequence, position = text.split("-")
        return cls(_number(sequence), _number(position))


class Moment(msgspec.Struct, frozen=True):
    """A conversation's place among all, by its last activity; its text form is the cursor of a page."""

    at: datetime
    conversation: str

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.conversation}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Raises ``ValueError`` where the text is no moment."""
        at_us, conversation = text.split("-", 1)
        try:
            return cls(_EPOCH + _number(at_us) * _MICROSECOND, conversation)
        except OverflowError:
            raise ValueError(text) from None


def find_message(connection: Connection, message_id: str) -> MessageView | None:
    """A message with its parts and their reports."""
    found = chosen(connection, schema.messages, Message, "id", [message_id])
    if not found:
        return None
    parts = chosen(connection, schema.parts, Part, "message_id", [message_id])
    return view_message(found[0], _view_parts(connection, sorted(parts, key=lambda part: (part.turn, part.part))))


def find_conversation(
    connection: Connection, conversation_id: str, limit: int, before: Place | None
) -> ConversationView | None:
    """A conversation with the last ``limit`` messages before a place."""
    found = chosen(connection, schema.conversations, Conversation, "id", [conversation_id])
    if not found:
        return None
    table = schema.messages
    query = select(table).where(table.c.conversation == conversation_id)
    if before is not None:
        query = query.where(tuple_(table.c.sequence, table.c.position) < (before.sequence, before.position))
    newest = query.order_by(table.c.sequence.desc(), table.c.position.desc()).limit(limit + 1)
    messages = fetch(connection, newest, Message)
    page = messages[:limit]
    more = len(messages) > limit
    line = view_conversation(found[0], _takeovers(connection, found).get(conversation_id))
    return view_page(line, page[::-1], str(Place(page[-1].sequence, page[-1].position)) if more else None)


def list_conversations(
    connection: Connection, contact: str | None, limit: int, before: Moment | None
) -> ConversationsView:
    """Conversations, all or one contact's, newest activity first."""
    table = schema.conversations
    query = select(table)
    if contact is not None:
        query = query.where(table.c.contact == contact)
    if before is not None:
        older = table.c.last_activity < before.at
        query = query.where(or_(older, (table.c.last_activity == before.at) & (table.c.id < before.conversation)))
    newest = query.order_by(table.c.last_activity.desc(), table.c.id.desc()).limit(limit + 1)
    rows = fetch(connection, newest, Conversation)
    page = rows[:limit]
    taken = _takeovers(connection, page)
    return ConversationsView(
        conversations=tuple(view_conversation(row, taken.get(row.id)) for row in page),
        before=str(Moment(page[-1].last_activity, page[-1].id)) if len(rows) > limit else None,
    )


def parts_to_ask_for(
    connection: Connection, channel: str, now: datetime, first: timedelta, limit: int
) -> list[Part]:
    """Parts of a channel that have a SID and no final state and are due to be asked for, the newest first.

    ``first`` is how long the first question waits.
    """
    table = schema.parts
    since = [table.c.sent_at, *(table.c.asked_at for _ in range(1, MOST_ASKED))]
    due = (
        (table.c.asked == asked) & (column <= now - wait_after(asked, first)) for asked, column in enumerate(since)
    )
    query = select(table).where(schema.TO_ASK_FOR, table.c.channel == channel, or_(*due))
    return fetch(connection, query.order_by(table.c.sent_at.desc()).limit(limit), Part)


def _takeovers(connection: Connection, conversations: Sequence[Conversation]) -> dict[str, Takeover]:
    """The takeovers that hold now, by conversation."""
    table = schema.takeovers
    ids = sorted(row.id for row in conversations)
    holds = (table.c.conversation.in_(ids)) & (table.c.until > datetime.now(UTC))
    return {row.conversation: row for row in load(connection, table, Takeover, holds)} if ids else {}


def _view_parts(connection: Connection, parts: Sequence[Part]) -> list[PartView]:
    table = schema.delivery_reports
    ids = [part.part_id for part in parts]
    sids = [part.sid for part in parts if part.sid is not None]
    reports = load(connection, table, Report, or_(table.c.part_id.in_(ids), table.c.sid.in_(sids)))
    reports.sort(key=lambda report: (report.at, report.event_id))
    return [view_part(part, [report for report in reports if concerns(report, part)]) for part in parts]


def _number(text: str) -> int:
    """Digits only and small enough for a column: ``int`` takes more than a cursor may hold."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(text)
    return int(text)
