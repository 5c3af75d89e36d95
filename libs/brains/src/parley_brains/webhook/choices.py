"""Buttons, on phones that have none: numbered lines, and the number that a person texts back.

What was offered is remembered for one turn, beside what the bot itself wants remembered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from parley_brains.scripted.script import Choice as Label
from parley_brains.scripted.words import picked
from parley_common.domain.keywords import classify_keyword
from parley_common.domain.refusals import is_refusal

MEMORY_KEY = "parley.choices"
MOST_MEMORY_BYTES = 4_096

_BEFORE_NUMBER = re.compile(r"\A\s*(?:(?:the\s+)?(?:option|number|choice|answer))\s+", re.IGNORECASE)
_KEYCAP = {0xFE0F: None, 0x20E3: None}


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was offered. ``payload``: what the bot is told where they take it."""

    title: str
    payload: str


def numbered(number: int, choice: Choice) -> str:
    """A choice as a line of a list."""
    return f"{number}. {' '.join(choice.title.split())}"


def chosen(texts: Sequence[str], memory: Mapping[str, str]) -> Choice | None:
    """Which of the remembered choices a person took: by its number or its title, alone in one of the texts."""
    offered = _offered(memory)
    labels = [Label(label=choice.title) for choice in offered]
    place = picked(texts, labels)
    if place is None:
        place = picked([_number(text) for text in texts], labels)
    return None if place is None else offered[place]


def unheard(title: str) -> str | None:
    """Why a title that is texted back is no answer to the bot; None where it is one."""
    keyword = classify_keyword(title)
    if keyword is not None:
        return f"{title.strip().upper()} is a word that carriers act on"
    return "a title is a wish to get no more texts" if is_refusal(title) else None


def own_memory(memory: Mapping[str, str]) -> dict[str, str]:
    """What the bot itself had remembered."""
    return {name: value for name, value in memory.items() if name != MEMORY_KEY}


def next_memory(
    before: Mapping[str, str], told: Mapping[str, str] | None, choices: Sequence[Choice]
) -> dict[str, str] | None:
    """What to know at the next turn, None where that is what is known already. ``told``: what the bot said."""
    if told is None and not choices and MEMORY_KEY not in before:
        return None
    memory = own_memory(before if told is None else told)
    return memory | ({MEMORY_KEY: msgspec.json.encode(choices).decode()} if choices else {})


def memory_bytes(memory: Mapping[str, str]) -> int:
    """How much room a memory takes."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in memory.items())


def _offered(memory: Mapping[str, str]) -> list[Choice]:
    try:
        return msgspec.json.decode(memory.get(MEMORY_KEY, "[]"), type=list[Choice])
    except msgspec.DecodeError:
        return []


def _number(text: str) -> str:
    """The number of ``option 2`` and of a keycap, as it is written otherwise."""
    return _BEFORE_NUMBER.sub("", text.translate(_KEYCAP))
