"""What a PromQL expression reads: its metrics, what it asks of their labels, and the labels it groups by.

No parser: promtool says whether an expression is one. This only finds the names in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|\S')
_NAME = re.compile(r"[a-zA-Z_:][\w:]*")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_WORDS = {"and", "or", "unless", "bool", "offset"}


@dataclass(frozen=True)
class Matcher:
    """One condition of a selector, as ``status=~"5.."``."""

    label: str
    operator: str
    value: str

    def holds(self, value: str) -> bool:
        """Whether a label of this value fulfils it."""
        is_alike = re.fullmatch(self.value, value) is not None if "~" in self.operator else value == self.value
        return is_alike != self.operator.startswith("!")


@dataclass(frozen=True)
class Selector:
    """A metric and what is asked of its labels."""

    metric: str
    matchers: tuple[Matcher, ...]


def selectors(expression: str) -> list[Selector]:
    """All that an expression reads."""
    return list(_selectors(_TOKEN.findall(_GROUPING.sub(" ", expression))))


def grouped(expression: str) -> set[str]:
    """All labels that an expression groups or joins by."""
    return {label.strip() for labels in _GROUPING.findall(expression) for label in labels.split(",")} - {""}


def _selectors(tokens: Sequence[str]) -> Iterator[Selector]:
    place = 0
    while place < len(tokens):
        name, following = tokens[place], tokens[place + 1 : place + 2]
        place += 1
        if _NAME.fullmatch(name) is None or name in _WORDS or following == ["("]:
            continue
        matchers: tuple[Matcher, ...] = ()
        if following == ["{"]:
            end = tokens.index("}", place)
            inner = [token for token in tokens[place + 1 : end] if token != ","]
            matchers = tuple(
                Matcher(label, operator, value[1:-1].replace("\\\\", "\\"))
                for label, operator, value in zip(inner[::3], inner[1::3], inner[2::3], strict=True)
            )
            place = end + 1
        yield Selector(name, matchers)
