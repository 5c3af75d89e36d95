"""Events and channels for tests of the agent, with all that does not matter filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from parley_common.channels import Channel
from parley_common.events import (
    ConversationReleased,
    ConversationTaken,
    InboundMessage,
    Tally,
    TurnBegun,
    TurnDone,
    TurnOutcome,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PERSON, NUMBER = "+15550100200", "+15550100100"
ACCOUNT = "AC" + "0123456789abcdef" * 2
CONVERSATION = "0123456789abcdef" * 2


def a_text(body: str = "hello", **fields: Any) -> InboundMessage:
    """A text of a person."""
    usual: dict[str, Any] = {
        "id": "SM" + "0" * 32,
        "at": AT,
        "channel": "default",
        "conversation": CONVERSATION,
        "account_sid": ACCOUNT,
        "contact": PERSON,
        "recipient": NUMBER,
        "body": body,
    }
    return InboundMessage(**usual | fields)


def a_start(**fields: Any) -> TurnBegun:
    """The start of a turn."""
    usual: dict[str, Any] = {
        "id": "b",
        "at": AT,
        "channel": "default",
        "conversation": CONVERSATION,
        "upto": 0,
        "first": 1,
        "last": 1,
        "attempt": 1,
        "worker": "another",
    }
    return TurnBegun(**usual | fields)


def an_end(**fields: Any) -> TurnDone:
    """The end of a turn."""
    usual: dict[str, Any] = {
        "id": "d",
        "at": AT,
        "channel": "default",
        "conversation": CONVERSATION,
        "upto": 1,
        "first": 1,
        "outcome": TurnOutcome.ANSWERED,
        "sender": NUMBER,
        "contact": PERSON,
        "expires_at": AT,
    }
    return TurnDone(**usual | fields)


def a_takeover(**fields: Any) -> ConversationTaken:
    """Somebody answers in place of the brain."""
    usual: dict[str, Any] = {"id": "t", "at": AT, "channel": "default", "conversation": CONVERSATION, "upto": 0}
    return ConversationTaken(**usual | {"tally": Tally()} | fields)


def a_release(**fields: Any) -> ConversationReleased:
    """They hand back."""
    usual: dict[str, Any] = {"id": "r", "at": AT, "channel": "default", "conversation": CONVERSATION, "upto": 0}
    return ConversationReleased(**usual | {"tally": Tally()} | fields)


def a_channel(**fields: Any) -> Channel:
    """A channel that everybody may text."""
    usual: dict[str, Any] = {
        "name": "default",
        "account_sid": ACCOUNT,
        "auth_tokens": ("token",),
        "numbers": (NUMBER,),
        "messaging_service_sid": None,
        "allowed": frozenset(),
        "allow_all": True,
    }
    return Channel(**usual | fields)
