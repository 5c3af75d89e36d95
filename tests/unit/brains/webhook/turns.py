"""A turn to ask about, with as little in it as a test needs."""

from __future__ import annotations

from typing import Any

from parley_brains.brain import Turn

PERSON, NUMBER = "+15550100123", "+15550100999"
KEY, CONVERSATION = "a1" * 16, "c0" * 16


def a_turn(*texts: str, **fields: Any) -> Turn:
    """A turn of one person."""
    given = {
        "key": KEY,
        "channel": "default",
        "conversation": CONVERSATION,
        "contact": PERSON,
        "recipient": NUMBER,
    }
    return Turn(texts=texts or ("Where is my order?",), **{**given, **fields})
