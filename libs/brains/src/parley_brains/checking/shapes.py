"""Holds what a TOML document says against the structs it is to become: every mistake, not only the first. Pure.

msgspec refuses the same documents, but stops at the first mistake. What this module does not find and msgspec does
is told in msgspec's words.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from parley_brains.checking.findings import Finding, nearest, one_of, shown
from parley_brains.checking.lines import Key

_KINDS: Mapping[object, str] = {
    str: 'a text in quotes, like "…"',
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
_TOML_KINDS: Sequence[tuple[type | tuple[type, ...], str]] = (
    (bool, "true or false"),
    (str, "a text"),
    (int, "a whole number"),
    (float, "a number"),
    (list, "a list"),
    (dict, "a table"),
    ((datetime, date, time), "a time"),
)


def misfits(value: object, kind: Any, path: Key = ()) -> Iterator[Finding]:
    """What keeps a value of a TOML document from being of this type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _struct_misfits(value, kind, path)
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from list(misfits(value, arguments[0], path)) or _bound_misfits(value, kind, path)
    elif origin is dict:
        yield from _table_misfits(value, arguments[1], path)
    elif origin is tuple:
        yield from _list_misfits(value, arguments[0], path)
    elif origin in (Union, types.UnionType):
        yield from _union_misfits(value, arguments, path)
    else:
        yield from _leaf_misfits(value, kind, path)


def _struct_misfits(value: object, kind: type[msgspec.Struct], path: Key) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _wrong_kind(value, f"a table [{shown(path)}]", path)
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    hints = typing.get_type_hints(kind, include_extras=True)
    meant = {nearest(name, fields) for name in value if name not in fields}
    for name, inner in value.items():
        if name in fields:
            yield from misfits(inner, hints[fields[name].name], (*path, name))
        else:
            yield _unknown(name, list(fields), path)
    for name, field in fields.items():
        if field.required and name not in value and name not in meant:
            yield Finding(path, f"{shown(path)} has no {name}", f"add {name} = {_example(hints[field.name])}")


def _table_misfits(value: object, kind: Any, path: Key) -> Iterator[Finding]:
    if not isinstance(value, dict):
        yield _wrong_kind(value, f"a table [{shown(path)}]", path)
        return
    for name, inner in value.items():
        yield from misfits(inner, kind, (*path, name))


def _list_misfits(value: object, kind: Any, path: Key) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield _wrong_kind(value, f"a list, like [{_example(kind)}]", path)
        return
    for number, inner in enumerate(value):
        yield from misfits(inner, kind, (*path, number))


def _union_misfits(value: object, kinds: Sequence[Any], path: Key) -> Iterator[Finding]:
    """Tells of the alternative that was meant: a table of a table, a list of a list, else of a single value."""
    kinds = [kind for kind in kinds if kind is not types.NoneType]
    if any(not list(misfits(value, kind, path)) for kind in kinds):
        return
    meant = (
        [kind for kind in kinds if _is_like(value, kind)] or [kind for kind in kinds if kind in _KINDS] or kinds
    )
    yield from misfits(value, meant[0], path)


def _is_like(value: object, kind: Any) -> bool:
    if isinstance(value, dict):
        return get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, msgspec.Struct))
    return isinstance(value, list) and get_origin(kind) is tuple


def _leaf_misfits(value: object, kind: Any, path: Key) -> Iterator[Finding]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if isinstance(kind, type) and issubclass(kind, Enum):
            words = [str(one.value) for one in kind]
            close = nearest(value, words) if isinstance(value, str) else None
            fix = f'did you mean "{close}"?' if close else f"write {one_of([_quoted(word) for word in words])}"
            yield Finding(path, f"{shown(path)} is {_seen(value)}", fix)
        elif kind in _KINDS:
            yield _wrong_kind(value, _KINDS[kind], path)
        else:
            yield Finding(path, f"{shown(path)} is {_seen(value)}", _in_words(error))


def _bound_misfits(value: object, kind: Any, path: Key) -> Iterator[Finding]:
    """A value of the right sort that is too large or too small."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        metas = [meta for meta in kind.__metadata__ if isinstance(meta, msgspec.Meta)]
        told = [
            f"{words} {bound:g}"
            for meta in metas
            for name, words in _BOUNDS.items()
            if (bound := getattr(meta, name)) is not None
        ]
        fix = f"it must be {' and '.join(told)}" if told else _in_words(error)
        yield Finding(path, f"{shown(path)} is {_seen(value)}", fix)


def fallback(error: msgspec.ValidationError) -> Finding:
    """A mistake that only msgspec found, at the key it names."""
    found = re.search(r"`\$([^`]*)`", str(error))
    names = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", found[1]) if found else []
    path: Key = tuple(int(number) if number else name for name, number in names)
    return Finding(path, f"{shown(path) or 'the file'} cannot be read", _in_words(error))


def _in_words(error: msgspec.ValidationError) -> str:
    message = str(error).partition(" - at ")[0]
    return message[:1].lower() + message[1:]


def _unknown(name: str, known: Sequence[str], path: Key) -> Finding:
    close = nearest(name, known)
    fix = f"did you mean {close}?" if close else f"known there: {', '.join(known)}"
    return Finding((*path, name), f"nothing is called {shown((*path, name))}", fix)


def _wrong_kind(value: object, wanted: str, path: Key) -> Finding:
    return Finding(path, f"{shown(path)} is {_seen(value)}", f"write {wanted}")


def _seen(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value if len(value) <= 40 else value[:39] + "…")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value}"
    return next(words for types_, words in _TOML_KINDS if isinstance(value, types_))


def _quoted(text: str) -> str:
    return f'"{text}"'


def _example(kind: Any) -> str:
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    examples: Mapping[object, str] = {str: '"…"', int: "1", float: "1.0", bool: "true"}
    return examples.get(kind, "…" if kind not in _KINDS else '"…"')
