"""Fills the holes of what a script says. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

RESULT = "result"

_HOLE = re.compile(r"\{([^\W\d]\w*(?:\.\w+)*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """In one pass, so that braces of a person or of a tool stay what they are, as do holes that nothing fills."""
    return _HOLE.sub(_filler(values), text)


def holes(text: str) -> list[str]:
    """The names in braces, each once."""
    return list(dict.fromkeys(_HOLE.findall(text)))


def _filler(values: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def found(hole: re.Match[str]) -> str:
        name, dot, path = hole[1].partition(".")
        if name not in values:
            return hole[0]
        return _part(values[name], path.split(".")) if dot else values[name]

    return found


def _part(text: str, path: list[str]) -> str:
    """A part of an answer in JSON; nothing where there is none."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    for step in path:
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
