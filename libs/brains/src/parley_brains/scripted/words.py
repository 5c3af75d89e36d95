"""How a script hears a text: which word it begins with, which number or label it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from parley_brains.answering import spoken
from parley_brains.scripted.script import Choice

MOST_VALUE = 160
"""Characters of an answer to a question; the rest is not kept, since a memory is small."""

_WORD = re.compile(r"\s*(\S+)\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"\s*[#(]?\s*(\d{1,2})\s*[.):!]*\s*")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_LOOKED_AT = 400

T = TypeVar("T")


def called(word: str) -> str:
    """A word of a text as commands are called by it."""
    return word.strip("!.?,").upper()


def find_called(texts: Sequence[str], by_word: Mapping[str, T]) -> tuple[T, str] | None:
    """What the first word calls, and the text after it; else what one of the texts calls by being that word."""
    match = _WORD.match("\n".join(filter(None, texts)))
    if match and called(match[1]) in by_word:
        return by_word[called(match[1])], match[2]
    found = exactly_called(texts, by_word)
    return None if found is None else (found, "")


def exactly_called(texts: Sequence[str], by_word: Mapping[str, T]) -> T | None:
    """What one of the texts calls by being its word and nothing else."""
    return next((by_word[called(text.strip())] for text in texts if called(text.strip()) in by_word), None)


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
    """The answer in a text, and the rest of it. With a pattern, what stands there as a word of its own."""
    text = text[:_LOOKED_AT]
    if not pattern:
        value = " ".join(text.split())[:MOST_VALUE].strip()
        return (value, "") if value else None
    found = re.search(rf"(?<!\w)(?:{pattern})(?!\w)", text, re.IGNORECASE)
    if found is None or not found[0].strip() or len(found[0]) > MOST_VALUE:
        return None
    return found[0], f"{text[: found.start()]} {text[found.end() :]}".strip()
