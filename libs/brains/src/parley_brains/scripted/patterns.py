"""The patterns of questions: one form for checking and for use, and none that keeps the process busy.

Python's matcher can take years for a pattern and a text that do not go together. Here it is stopped after a
twentieth of a second of CPU, by a timer of the process that nothing else uses (``SIGVTALRM``).
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

MOST_CPU_S = 0.05

_FLAGS = re.compile(r"\(\?([aimsux]+)\)")
_REPEATED = ("a", "A", "1", "a1", "A1", "a-", "A-", "1-", "a ", "1 ", "a.", "1.", " ", ".", "-", "_")
_HOSTILE = tuple(f"{unit * (120 // len(unit))}{end}" for unit in _REPEATED for end in ("", "!"))


class TooSlow(Exception):  # noqa: N818 - what a pattern is, not a fault of ours
    """A pattern needs too long for a text."""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as it is searched for: in any case, as a word of its own. Raises ``re.error``."""
    re.compile(pattern)
    opening, inner = "(?:", pattern
    while flags := _FLAGS.match(inner):
        opening, inner = f"{opening}(?{flags[1]}:", inner[flags.end() :]
    is_verbose = "x" in opening
    closing = ("\n)" if is_verbose else ")") + ")" * (opening.count("(") - 1)
    return re.compile(rf"(?<!\w){opening}{inner}{closing}(?!\w)", re.IGNORECASE)


def search(pattern: str, text: str) -> re.Match[str] | None:
    """Where a pattern stands in a text as a word of its own; raises ``TooSlow``."""
    with _limited():
        return compiled(pattern).search(text)


def is_slow(pattern: str) -> bool:
    """Whether there are plain texts that take too long."""
    try:
        for text in _HOSTILE:
            search(pattern, text)
    except TooSlow:
        return True
    return False


@contextmanager
def _limited() -> Iterator[None]:
    """Raises ``TooSlow`` in what takes too long. Signals reach only the main thread, where a loop runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before or signal.SIG_DFL)


def _stop(_signal: int, _frame: object) -> None:
    raise TooSlow
