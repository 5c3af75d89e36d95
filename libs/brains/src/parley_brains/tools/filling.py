"""Fills ``${NAME}`` in URLs and headers with what the environment has. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from parley_common.settings import Environment, SettingsError, read_optional

VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")
"""What is meant for a variable, well written or not."""

_NAME = re.compile(r"\w+", re.ASCII)
_PAST_HOST = re.compile(r"https?://[^/?#\s]+[/?#]", re.I)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


class NotSet(SettingsError):  # noqa: N818 - a state of the environment
    """The environment lacks something; another one may have it."""


def variables(text: str) -> Iterator[str]:
    """The names of all variables in a text that are written as they should be."""
    yield from (found[1] for found in VARIABLE.finditer(text) if found[2] and _NAME.fullmatch(found[1]))


def value_of(found: re.Match[str], environment: Environment, where: str) -> str:
    """What a match of ``VARIABLE`` stands for. Raises ``NotSet``, or ``SettingsError`` where it names nothing."""
    if not found[2] or not _NAME.fullmatch(found[1]):
        raise SettingsError(f"{where}: {found[0]} names no variable; write it as in ${{SHOP_KEY}}")
    value = read_optional(environment, found[1])
    if value is None:
        raise NotSet(f"{where} names ${{{found[1]}}}: set it in the environment")
    return value


def in_url(value: str, before: str) -> str:
    """A value as it stands in a URL after ``before``: scheme and host as they are, path and query encoded."""
    if not _PAST_HOST.match(before):
        return value
    return quote(value, safe="" if "?" in before else "/")


def filled_url(text: str, environment: Environment, where: str) -> str:
    """A URL with its variables filled in. Raises ``SettingsError``."""
    url, end = "", 0
    for found in VARIABLE.finditer(text):
        url += text[end : found.start()]
        url += in_url(value_of(found, environment, where), url)
        end = found.end()
    return url + text[end:]


def refuse_header(name: str, ours: re.Pattern[str], where: str) -> None:
    """Raises ``SettingsError`` for a name that no header has, and for one that is ``ours`` to write."""
    if not _HEADER_NAME.fullmatch(name):
        raise SettingsError(f"{where}: {name!r} is no name of a header; use letters, digits and -")
    if ours.fullmatch(name):
        raise SettingsError(f"{where}: {name} is written by Parley; leave it out")


def refuse_value(name: str, value: str, where: str) -> None:
    """Raises ``SettingsError`` for what could end a header and begin another; never quotes it."""
    if not _HEADER_VALUE.fullmatch(value):
        raise SettingsError(f"{where}: {name} has a character that no header may have; use plain ASCII")
