"""On which line of a TOML document each key stands. Pure.

The document has been read by ``tomllib`` before, so only what is valid TOML comes here; the values are skipped,
not understood. A key is written as its names, with a number for each place in an array:
``("commands", "MENU", "reply")``, ``("handoff", "words", 0)``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Key = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'  # as many quotes as there are: two of them may belong to the text
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


def find_lines(document: str) -> dict[Key, int]:
    """The line of every key, table and item of an array; the first is line 1. A table without a heading of its own
    stands where the first of its keys does."""
    return _Scanner(document).scan()


def line_of(lines: dict[Key, int], path: Key) -> int:
    """The line of a key, or of the nearest table around it where the key is not there; 1 where none is."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    """Walks over a document once."""

    def __init__(self, document: str) -> None:
        self._text = document
        self._at = 0
        self._line, self._counted = 1, 0
        self._lines: dict[Key, int] = {}
        self._items: dict[Key, int] = {}

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Key:
        """``[table]`` or ``[[item of an array of tables]]``."""
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        path: Key = ()
        names = list(self._key())
        for name in names[:-1]:
            path = self._note((*path, name))
            if path in self._items:
                path = self._note((*path, self._items[path]))
        path = self._note((*path, names[-1]))
        if brackets == 1:
            self._lines[path] = self._here()  # its own heading, though tables in it may have stood before
        else:
            self._items[path] = self._items.get(path, -1) + 1
            path = self._note((*path, self._items[path]))
        self._at += brackets
        return path

    def _pair(self, table: Key) -> None:
        path = table
        for name in self._key():
            path = self._note((*path, name))
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> Iterator[str]:
        """The names of a key with dots, up to what follows it."""
        while True:
            self._skip(_SPACE)
            if self._text[self._at] in "\"'":
                yield str(tomllib.loads(f"name = {self._skip(_STRING)}")["name"])
            else:
                yield self._skip(_BARE)
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return
            self._at += 1

    def _value(self, path: Key) -> None:
        match self._text[self._at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_PLAIN)

    def _array(self, path: Key) -> None:
        for number, _ in enumerate(self._between("]")):
            self._value(self._note((*path, number)))

    def _inline_table(self, path: Key) -> None:
        for _ in self._between("}"):
            self._pair(path)

    def _between(self, end: str) -> Iterator[None]:
        """Stops before each of the things that commas part; goes past the end."""
        self._at += 1
        self._skip(_BLANK)
        while self._text[self._at] != end:
            yield
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_BLANK)
        self._at += 1

    def _skip(self, what: re.Pattern[str]) -> str:
        found = what.match(self._text, self._at)
        if found is None:
            raise ValueError(f"line {self._here()} is not valid TOML")
        self._at = found.end()
        return found[0]

    def _note(self, path: Key) -> Key:
        self._lines.setdefault(path, self._here())
        return path

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
