"""What the command writes for people to read: sentences, times, tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


class Refused(Exception):  # noqa: N818 - an answer to the operator, not a fault
    """The command cannot do it; the message is one sentence that names the thing and the fix."""


def at(moment: datetime) -> str:
    """A time as it is shown and may be written: ``2026-11-21T10:04:05Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counted(number: int, one: str) -> str:
    """``1 letter``, ``2 letters``."""
    return f"{number} {one if number == 1 else one + 's'}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as what stands in them."""
    lines = [tuple(headings), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def printable(text: str) -> str:
    """The text with what could steer a terminal made visible."""
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1] for character in text
    )
