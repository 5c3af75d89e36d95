"""What is found in an agent file: on which line, what is wrong, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from parley_brains.checking.lines import Key


@dataclass(frozen=True)
class Finding:
    """Something at a key of the file. ``what`` and ``fix`` are halves of one sentence.

    ``suspicious``: it may be meant so; nothing refuses a file for it.
    """

    key: Key
    what: str
    fix: str
    suspicious: bool = False


@dataclass(frozen=True, order=True)
class Remark:
    """A finding on its line, as people read it."""

    line: int
    what: str
    fix: str
    suspicious: bool = False

    def __str__(self) -> str:
        return f"{'warning: ' if self.suspicious else ''}{self.what}; {self.fix}"


def shown(path: Key) -> str:
    """A key as it is written in the file: ``commands.MENU.reply``, ``handoff.words #2`` for the second word."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f" #{step + 1}"
        else:
            text += f"{'.' if text else ''}{step if _is_bare(step) else repr(step)}"
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_case = {one.casefold(): one for one in known}
    close = get_close_matches(word.casefold(), by_case, n=1)
    return by_case[close[0]] if close else None


def one_of(known: Iterable[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *others, last = known
    return f"{', '.join(others)} or {last}" if others else last


def _is_bare(name: str) -> bool:
    return bool(name) and name.replace("-", "_").isidentifier()
