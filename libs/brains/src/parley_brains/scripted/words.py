"""How a script hears a text: which word it begins with, which number or label it is. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from parley_brains.answering import spoken
from parley_brains.scripted.patterns import TooSlow, search
from parley_brains.scripted.script import Choice

MOST_VALUE = 160
"""Characters of an answer to a question; the rest is not kept, since a memory is small."""

_WORD = re.compile(r"\s*(\S+)\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"\s*[#(]?\s*(\d{1,2})\s*[.):!]*\s*")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[^\S\n]+(?=\d)")
_LOOKED_AT = 400
_AS_PICTURE = "\ufe0f"
"""Follows a sign that is shown as an emoji."""

T = TypeVar("T")


def called(word: str) -> str:
    """A word of a text as commands are called by it."""
    return word.strip("!.?,").upper()


def callable_by(word: str) -> str:
    """A word or phrase of an agent file as it is known by; a phrase is a whole text, whatever its marks."""
    return word.upper() if word.split() == [word] else spoken(word).upper()


def heard(text: str) -> str:
    """A whole text as it is compared: its words, or the emoji that it is made of, each once and in any colour."""
    symbols = (one for one in text if unicodedata.category(one) == "So")
    return spoken(text.replace(_AS_PICTURE, "")) or "".join(dict.fromkeys(symbols))


def holding(texts: Iterable[str], words: Iterable[str]) -> str | None:
    """The first text that holds one of the words or phrases."""
    looked_for = [f" {spoken(word)} " for word in words if spoken(word)]
    return next((text for text in texts if any(one in f" {spoken(text)} " for one in looked_for)), None)


def find_called(texts: Sequence[str], by_word: Mapping[str, T]) -> tuple[T, str] | None:
    """What the first word calls, and the text after it; else what one of the texts calls by being that word."""
    found = exactly_called(texts, by_word) if len(texts) == 1 else None
    match = _WORD.match("\n".join(filter(None, texts)))
    if found is None and match and called(match[1]) in by_word:
        return by_word[called(match[1])], match[2]
    found = exactly_called(texts, by_word) if found is None else found
    return None if found is None else (found, "")


def exactly_called(texts: Sequence[str], by_word: Mapping[str, T]) -> T | None:
    """What one of the texts calls by being its word or phrase and nothing else."""
    keys = (key for text in texts for key in (called(text.strip()), _phrase(text)))
    return next((by_word[key] for key in keys if key in by_word), None)


def _phrase(text: str) -> str:
    """A text as a phrase; nothing if it is one word, which may stand in marks for a reason."""
    phrase = spoken(text).upper()
    return phrase if " " in phrase else ""


def picked(texts: Sequence[str], choices: Sequence[Choice]) -> int | None:
    """The place of the choice that one of the texts is the number or the label of; the last one counts."""
    for text in reversed(texts):
        labels = [spoken(choice.label) for choice in choices]
        number = _NUMBER.fullmatch(text)
        said = spoken(text)
        if said in labels and said:
            return labels.index(said)
        place = int(number[1]) if number else _NUMBERS.index(said) + 1 if said in _NUMBERS else 0
        if 0 < place <= len(choices):
            return place - 1
    return None


def find_value(text: str, pattern: str) -> tuple[str, str] | None:
    """The answer in a text, and the rest of it. With a pattern, what stands there as a word of its own.

    Digits with spaces between them are one number where that fits and nothing else does.
    """
    text = text[:_LOOKED_AT]
    if not pattern:
        value = " ".join(text.split())[:MOST_VALUE].strip()
        return (value, "") if value else None
    return _found(text, pattern) or _found(_BETWEEN_DIGITS.sub("", text), pattern)


def _found(text: str, pattern: str) -> tuple[str, str] | None:
    try:
        found = search(pattern, text)
    except TooSlow:
        return None
    if found is None or not found[0].strip() or len(found[0]) > MOST_VALUE:
        return None
    return found[0], f"{text[: found.start()]} {text[found.end() :]}".strip()
