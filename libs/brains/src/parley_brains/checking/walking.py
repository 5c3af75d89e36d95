"""Walks over an agent file that was read: every value of a kind, with its key. Pure."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec

from parley_brains.agent_file import AgentFile
from parley_brains.checking.lines import Key
from parley_brains.wording import Wording, Words


def all_words(file: AgentFile) -> Iterator[tuple[Key, str | Wording]]:
    """What the agent may say, wherever the file's structs have ``Words``."""
    for path, value, kind in _walk(file, AgentFile, ()):
        if kind == Words and isinstance(value, str | Wording):
            yield path, value


def _walk(value: object, kind: Any, path: Key) -> Iterator[tuple[Key, object, Any]]:
    yield path, value, kind
    if isinstance(value, msgspec.Struct):
        for name, hint in typing.get_type_hints(type(value), include_extras=True).items():
            yield from _walk(getattr(value, name), hint, (*path, name))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, _argument(kind, 1), (*path, name))
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _walk(inner, _argument(kind, 0), (*path, number))


def _argument(kind: Any, place: int) -> Any:
    """What a table or a list holds."""
    arguments = get_args(kind)
    return arguments[place] if get_origin(kind) in (dict, tuple) and len(arguments) > place else None
