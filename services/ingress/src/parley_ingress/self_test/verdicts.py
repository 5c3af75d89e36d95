"""What the status API's answers mean: whether a turn is an answer, whether Twilio has it, what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from parley_common.domain.redaction import redact_text
from parley_common.events import TurnOutcome

_BROKEN = ("failed", "undelivered", "canceled")
_ARRIVED = ("delivered", "read")

ANSWERS = frozenset({TurnOutcome.ANSWERED, TurnOutcome.KEYWORD})
"""The ends of a turn that are an answer, where they have a message."""

_FIXES: Mapping[TurnOutcome, str] = {
    TurnOutcome.FAILED: "the brain gave no answer: see the agent's log, and that its model or bot can be reached",
    TurnOutcome.ECHO: "the contact is a number of the channel itself: choose another PARLEY_SELF_TEST_CONTACT",
    TurnOutcome.KEYWORD: "Twilio answers this keyword itself: choose another PARLEY_SELF_TEST_TEXT, or set "
    "PARLEY_HELP_TEXT for HELP",
    TurnOutcome.NOT_ALLOWED: "the contact may not text the agent: add it to SMS_ALLOWED_USERS, or look at "
    "SMS_ALLOWED_COUNTRIES",
    TurnOutcome.UNREADABLE: "the stored text cannot be read: see parley dead-letters list",
    TurnOutcome.LATE: "the text was too old when the agent came to it: see how long the agent's queue is",
    TurnOutcome.CAPPED: "the day's answers or tokens are used up: raise PARLEY_DAILY_ANSWERS_PER_CONTACT",
    TurnOutcome.LOOP: "too many texts of this contact in a short time: wait some minutes",
    TurnOutcome.REFUSED: "the words are taken as a wish for no more texts: choose another PARLEY_SELF_TEST_TEXT",
    TurnOutcome.OFFLINE: "the channel is set to answer nobody: PARLEY_OFFLINE is true",
    TurnOutcome.NOT_STARTED: "people may not start a conversation: text the contact first, or set "
    "PARLEY_PEOPLE_MAY_START to true",
    TurnOutcome.HANDED_OVER: "the words ask for a person: choose another PARLEY_SELF_TEST_TEXT",
    TurnOutcome.HANDED_BACK: "the words bring the brain back: choose another PARLEY_SELF_TEST_TEXT",
    TurnOutcome.TAKEN: "a person has taken the contact's conversation: hand it back with parley release",
    TurnOutcome.OPTED_OUT: "the contact wants no more texts: text START from it",
    TurnOutcome.ANSWERED: "the brain said nothing: choose another PARLEY_SELF_TEST_TEXT",
}


class Failure(msgspec.Struct, frozen=True):
    """Why something was not sent or did not arrive."""

    reason: str
    code: int | None = None


class Part(msgspec.Struct, frozen=True):
    """A part of an answer, as far as it matters here."""

    of: int
    sid: str | None = None


class Message(msgspec.Struct, frozen=True):
    """A message in the status API, as far as it matters here."""

    id: str
    conversation: str
    direction: str
    state: str
    turn: int | None = None
    outcome: str | None = None
    failure: Failure | None = None
    parts: tuple[Part, ...] = ()


class Conversation(msgspec.Struct, frozen=True):
    """The newest messages of a conversation."""

    messages: tuple[Message, ...]


def replies_to(text: Message, messages: Sequence[Message]) -> tuple[Message, ...]:
    """What the turn that took this text answers."""
    return tuple(m for m in messages if m.direction == "outbound" and m.turn == text.turn)


def why_no_answer(text: Message, replies: Sequence[Message]) -> str | None:
    """Why the turn is no answer, with the fix; None where it is one."""
    outcome = text.outcome or ""
    if replies and outcome in ANSWERS:
        return None
    known = next((fix for name, fix in _FIXES.items() if name == outcome), "see the agent's log")
    return f"the agent ended the turn as {outcome}: {known}"


def is_accepted(reply: Message) -> bool:
    """Whether Twilio has taken every part."""
    return bool(reply.parts) and len(reply.parts) >= reply.parts[0].of and all(part.sid for part in reply.parts)


def has_arrived(reply: Message) -> bool:
    """Whether the phone has it."""
    return reply.state in _ARRIVED


def why_broken(reply: Message) -> str | None:
    """Why the answer was not sent or did not arrive, None where it may yet."""
    if reply.state not in _BROKEN:
        return None
    failure = reply.failure or Failure(reason="no reason is known")
    code = f" ({failure.code})" if failure.code is not None else ""
    return f"the answer is {reply.state}: {redact_text(failure.reason)}{code}"


def further_turns(text: Message, messages: Sequence[Message]) -> int:
    """Turns after the one of the text that no other text explains: a webhook that came twice made them."""
    explained = {m.turn for m in messages if m.direction == "inbound" and m.id != text.id}
    later = {m.turn for m in messages if m.turn is not None and text.turn is not None and m.turn > text.turn}
    return len(later - explained)
