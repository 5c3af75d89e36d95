"""Folds a batch of events into the tables, in the caller's transaction.

A fold reads the rows the batch is about, lets the pure rules change them, and writes what differs: a handful of
statements whatever the batch's size. Folding an event again changes nothing, nor does another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TypeVar

from sqlalchemy import Connection, and_, bindparam, or_, update

from parley_common.events import (
    AnyEvent,
    ConsentChanged,
    ConversationReleased,
    ConversationTaken,
    DeadLetter,
    DeliveryReport,
    Event,
    InboundMessage,
    LetterReplayed,
    OutboundMessage,
    PartAttempted,
    PartFailed,
    PartSent,
    SendEvent,
    TurnDone,
)
from parley_status import schema
from parley_status.conversations import Consent, Conversation, fold_consent, fold_conversation
from parley_status.endings import Change
from parley_status.letters import Letter, fold_letter, letter_id
from parley_status.messages import (
    Direction,
    Message,
    Turn,
    handle,
    inbound_message,
    outbound_messages,
    settle_message,
    turn_of,
)
from parley_status.parts import Part, Report, concerns, fold_part, report_of, settle_part
from parley_status.states import inbound_state
from parley_status.store import chosen, keep, load, save
from parley_status.takeovers import Takeover, fold_takeover, hands

E = TypeVar("E", bound=Event)

_SEND_EVENTS = (PartAttempted, PartSent, PartFailed)


@dataclass(frozen=True)
class Recorded:
    """An event and its sequence in its stream."""

    sequence: int
    event: AnyEvent


def fold(connection: Connection, batch: Sequence[Recorded]) -> list[Change]:
    """Folds the batch; returns the parts that changed.

    ``TurnBegun`` leaves no trace: what it says ends with its ``TurnDone``.
    Of two events that bring the same message, the earlier in the stream counts.
    """
    _fold_turns(connection, batch)
    changes = _fold_parts(connection, batch)
    _fold_messages(connection, batch, [change.after for change in changes])
    _fold_conversations(connection, batch)
    _fold_takeovers(connection, batch)
    _fold_consent(connection, batch)
    _fold_letters(connection, batch)
    return changes


def _of(batch: Iterable[Recorded], kind: type[E]) -> Iterator[tuple[int, E]]:
    return ((recorded.sequence, recorded.event) for recorded in batch if isinstance(recorded.event, kind))


def _fold_turns(connection: Connection, batch: Sequence[Recorded]) -> None:
    turns = [turn_of(sequence, event) for sequence, event in _of(batch, TurnDone)]
    keep(connection, schema.turns, turns)
    _mark_handled(connection, turns)


def _mark_handled(connection: Connection, turns: Sequence[Turn]) -> None:
    """Tells the texts that came before this batch which turn dealt with them."""
    if not turns:
        return
    table = schema.messages
    statement = (
        update(table)
        .where(
            table.c.conversation == bindparam("of_conversation"),
            table.c.sequence.between(bindparam("from_sequence"), bindparam("to_sequence")),
            table.c.direction == Direction.INBOUND,
        )
        .values(turn=bindparam("by_turn"), outcome=bindparam("with_outcome"), state=bindparam("to_state"))
    )
    values = [
        {
            "of_conversation": turn.conversation,
            "from_sequence": turn.first,
            "to_sequence": turn.upto,
            "by_turn": turn.sequence,
            "with_outcome": turn.outcome,
            "to_state": inbound_state(turn.outcome),
        }
        for turn in turns
    ]
    connection.execute(statement, values)


def _fold_parts(connection: Connection, batch: Sequence[Recorded]) -> list[Change]:
    """Folds the sends and the reports; returns the parts that changed."""
    reports = [report_of(event) for _, event in _of(batch, DeliveryReport)]
    keep(connection, schema.delivery_reports, reports)
    sends = [(recorded.sequence, recorded.event) for recorded in batch if isinstance(recorded.event, _SEND_EVENTS)]
    before = _known_parts(connection, sends, reports)
    after = dict(before)
    for sequence, event in sends:
        after[event.part_id] = fold_part(after.get(event.part_id), sequence, event)
    settled = _settle(connection, list(after.values()))
    changed = [part for part in settled if part != before.get(part.part_id)]
    save(connection, schema.parts, changed)
    times = _newest(sends, reports)
    return [
        Change(
            before=before.get(part.part_id),
            after=part,
            at=max(
                (times[name] for name in (part.part_id, part.sid) if name in times),
                default=max(times.values()),
            ),
        )
        for part in changed
    ]


def _newest(sends: Iterable[tuple[int, SendEvent]], reports: Iterable[Report]) -> dict[str | None, datetime]:
    """When the newest of these events was, by the part's id and by the SID that it speaks of."""
    named = [(event.part_id, event.at) for _, event in sends]
    named += [(name, report.at) for report in reports for name in (report.part_id, report.sid) if name is not None]
    times: dict[str | None, datetime] = {}
    for name, at in named:
        times[name] = max(at, times.get(name, at))
    return times


def _known_parts(
    connection: Connection, sends: Sequence[tuple[int, SendEvent]], reports: Sequence[Report]
) -> dict[str, Part]:
    ids = {event.part_id for _, event in sends} | {r.part_id for r in reports if r.part_id is not None}
    by_id = chosen(connection, schema.parts, Part, "part_id", ids)
    by_sid = chosen(connection, schema.parts, Part, "sid", (report.sid for report in reports))
    return {part.part_id: part for part in chain(by_id, by_sid)}


def _settle(connection: Connection, parts: Sequence[Part]) -> list[Part]:
    if not parts:
        return []
    table = schema.delivery_reports
    ids = sorted({part.part_id for part in parts})
    sids = sorted({part.sid for part in parts if part.sid is not None})
    by_id: dict[str, list[Report]] = {}
    by_sid: dict[str, list[Report]] = {}
    for report in load(connection, table, Report, or_(table.c.part_id.in_(ids), table.c.sid.in_(sids))):
        by_sid.setdefault(report.sid, []).append(report)
        if report.part_id is not None:
            by_id.setdefault(report.part_id, []).append(report)
    return [
        settle_part(part, {r.event_id: r for r in _candidates(part, by_id, by_sid) if concerns(r, part)}.values())
        for part in parts
    ]


def _candidates(part: Part, by_id: dict[str, list[Report]], by_sid: dict[str, list[Report]]) -> Iterator[Report]:
    yield from by_id.get(part.part_id, ())
    if part.sid is not None:
        yield from by_sid.get(part.sid, ())


def note_asked(connection: Connection, asked: Mapping[str, int], at: datetime) -> None:
    """Notes that Twilio was asked for parts: how often each by now, and when."""
    table = schema.parts
    statement = (
        update(table)
        .where(table.c.part_id == bindparam("of_part"))
        .values(asked=bindparam("times"), asked_at=bindparam("now"))
    )
    connection.execute(statement, [{"of_part": part, "times": n, "now": at} for part, n in asked.items()])


def _fold_messages(connection: Connection, batch: Sequence[Recorded], parts: Sequence[Part]) -> None:
    """Adds what was written and brings replies to the state of their parts."""
    fresh = _fresh(batch)
    ids = fresh.keys() | {part.message_id for part in parts}
    before = {message.id: message for message in chosen(connection, schema.messages, Message, "id", ids)}
    first = [m for m in fresh.values() if m.id not in before or m.sequence < before[m.id].sequence]
    after = before | {message.id: message for message in _handled(connection, first)}
    settled = _settled(connection, list(after.values()))
    save(connection, schema.messages, [message for message in settled if message != before.get(message.id)])


def _fresh(batch: Sequence[Recorded]) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for recorded in sorted(batch, key=lambda recorded: recorded.sequence, reverse=True):
        match recorded.event:
            case InboundMessage() as event:
                found[event.id] = inbound_message(recorded.sequence, event)
            case (TurnDone() | OutboundMessage()) as event:
                found |= {message.id: message for message in outbound_messages(recorded.sequence, event)}
    return found


def _handled(connection: Connection, fresh: Sequence[Message]) -> list[Message]:
    """New messages; a text that comes after the turn that answered it learns so."""
    texts = [message for message in fresh if message.direction is Direction.INBOUND]
    if not texts:
        return list(fresh)
    table = schema.turns
    where = and_(
        table.c.conversation.in_(sorted({text.conversation for text in texts})),
        table.c.upto >= min(text.sequence for text in texts),
    )
    turns: dict[str, list[Turn]] = {}
    for turn in load(connection, table, Turn, where):
        turns.setdefault(turn.conversation, []).append(turn)
    return [
        handle(message, turns.get(message.conversation, ())) if message.direction is Direction.INBOUND else message
        for message in fresh
    ]


def _settled(connection: Connection, messages: Sequence[Message]) -> list[Message]:
    replies = [message.id for message in messages if message.direction is Direction.OUTBOUND]
    parts: dict[str, list[Part]] = {}
    for part in chosen(connection, schema.parts, Part, "message_id", replies):
        parts.setdefault(part.message_id, []).append(part)
    return [
        settle_message(message, parts.get(message.id, ())) if message.direction is Direction.OUTBOUND else message
        for message in messages
    ]


def _fold_conversations(connection: Connection, batch: Sequence[Recorded]) -> None:
    kinds = (InboundMessage, TurnDone, OutboundMessage, ConsentChanged)
    events = [recorded.event for recorded in batch if isinstance(recorded.event, kinds)]
    before = {
        row.id: row
        for row in chosen(connection, schema.conversations, Conversation, "id", (e.conversation for e in events))
    }
    after = dict(before)
    for event in events:
        after[event.conversation] = fold_conversation(after.get(event.conversation), event)
    save(connection, schema.conversations, [row for row in after.values() if row != before.get(row.id)])


def _fold_takeovers(connection: Connection, batch: Sequence[Recorded]) -> None:
    kinds = (ConversationTaken, ConversationReleased, TurnDone)
    events = [(one.sequence, one.event) for one in batch if isinstance(one.event, kinds) and hands(one.event)]
    before = {
        row.conversation: row
        for row in chosen(
            connection, schema.takeovers, Takeover, "conversation", (event.conversation for _, event in events)
        )
    }
    after = dict(before)
    for sequence, event in events:
        after[event.conversation] = fold_takeover(after.get(event.conversation), sequence, event)
    save(connection, schema.takeovers, [row for row in after.values() if row != before.get(row.conversation)])


def _fold_consent(connection: Connection, batch: Sequence[Recorded]) -> None:
    events = [event for _, event in _of(batch, ConsentChanged)]
    before = {
        (row.channel, row.scope, row.contact): row
        for row in chosen(connection, schema.consent, Consent, "contact", (event.contact for event in events))
    }
    after = dict(before)
    for event in events:
        key = (event.channel, event.scope, event.contact)
        after[key] = fold_consent(after.get(key), event)
    save(connection, schema.consent, [row for key, row in after.items() if row != before.get(key)])


def _fold_letters(connection: Connection, batch: Sequence[Recorded]) -> None:
    events = [recorded.event for recorded in batch if isinstance(recorded.event, DeadLetter | LetterReplayed)]
    before = {
        row.event_id: row
        for row in chosen(connection, schema.dead_letters, Letter, "event_id", map(letter_id, events))
    }
    after = dict(before)
    for event in events:
        after[letter_id(event)] = fold_letter(after.get(letter_id(event)), event)
    save(connection, schema.dead_letters, [row for key, row in after.items() if row != before.get(key)])
