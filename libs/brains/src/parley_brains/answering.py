"""What a brain said becomes what is sent: nothing empty, nothing longer than the agent file allows. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from parley_brains.brain import Message, Said
from parley_common.domain.segments import utf_16_units
from parley_common.domain.splitting import split_text

MOST_MESSAGES = 10
_LEAST_CHARACTERS = 40
_LOOKED_AT = 4
"""Times as many characters of a message are looked at as it may have: all that Markdown and cuts can take."""


def sendable(said: Said, *, most_characters: int) -> tuple[Message, ...]:
    """The messages that say something, each of so many characters at most; a longer one ends in an ellipsis."""
    found = (replace(one, text=shortened(one.text, most_characters)) for one in said.messages[:MOST_MESSAGES])
    return tuple(message for message in found if message.text or message.files)


def is_one_of(text: str, words: Iterable[str]) -> bool:
    """Whether a whole text is one of an agent file's words."""
    said = spoken(text)
    return bool(said) and said in {spoken(word) for word in words}


def spoken(text: str) -> str:
    """A text as words are compared: no case, no marks, one space between."""
    kept = (one if unicodedata.category(one)[0] in "LNM" else " " for one in unicodedata.normalize("NFC", text))
    return " ".join("".join(kept).casefold().split())


def shortened(text: str, most_characters: int) -> str:
    """A text that ends in an ellipsis if it is longer; nothing where there is no room for a word of it."""
    if utf_16_units(text.strip()) <= most_characters:
        return text.strip()
    if most_characters < _LEAST_CHARACTERS:
        words = text.strip()[: max(most_characters - 4, 0) // 2].rpartition(" ")[0]
        return f"{words} ..." if words else ""
    parts = split_text(
        text[: _LOOKED_AT * most_characters], max_units=most_characters, numbered=False, max_parts=1
    )
    return parts[0] if parts else ""
