"""Buttons, on phones that have none: numbered lines, and the number that a person texts back.

What was offered is remembered for one turn, beside what the bot itself wants remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

MEMORY_KEY = "parley.choices"
MOST_MEMORY_BYTES = 4_096

_NUMBER = re.compile(r"[#(]?\s*([0-9]{1,3})\s*[.):]*")


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was offered. ``payload``: what the bot is told where they take it."""

    title: str
    payload: str


def lines(choices: Sequence[Choice], *, first: int) -> str:
    """The choices as a numbered list that begins with ``first``."""
    return "\n".join(f"{number}. {' '.join(choice.title.split())}" for number, choice in enumerate(choices, first))


def chosen(texts: Iterable[str], memory: Mapping[str, str]) -> Choice | None:
    """Which of the remembered choices a person took: by its number or its title, with nothing else written."""
    written = [text.strip() for text in texts if text.strip()]
    offered = _offered(memory)
    if len(written) != 1:
        return None
    number = _NUMBER.fullmatch(written[0])
    if number is not None:
        return offered[int(number[1]) - 1] if 0 < int(number[1]) <= len(offered) else None
    named = [choice for choice in offered if _plain(choice.title) == _plain(written[0])]
    return named[0] if named else None


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


def _plain(text: str) -> str:
    return " ".join(text.split()).strip("!.?, ").casefold()
