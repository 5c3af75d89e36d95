"""A full-text index in memory, ranked by BM25: SQLite's FTS5, which Python brings along.

Nothing that a person wrote is ever read as a query: what is searched for are words of letters and digits, each in
quotes. For use in one event loop: a search among 5,000 passages takes one or two milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence

from parley_common.settings import SettingsError

_TITLE, _HEADINGS, _TEXT = 4.0, 2.0, 1.0
"""What a word counts in the last heading, in those around it, and in the text."""

_SHORTEST_STEM = 4
_LONGEST_ENDING = 2


class Index:
    """Rows of a title, the headings around it, and a text; a row is known by its place, from 0.

    English words are found in all their forms. Of other languages, words of more than four letters are compared
    without the last two. Languages that write no spaces are not served. Raises ``SettingsError`` where SQLite
    lacks FTS5.
    """

    def __init__(self, rows: Iterable[tuple[str, str, str]], language: str) -> None:
        self._has_stems = is_english(language)
        tokens = f"{'porter ' if self._has_stems else ''}unicode61 remove_diacritics 2"
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self._database.execute(
                f"CREATE VIRTUAL TABLE found USING fts5(title, headings, text, content='', tokenize='{tokens}')"
            )
        except sqlite3.OperationalError:
            raise SettingsError("knowledge: the SQLite of this Python has no FTS5; use another Python") from None
        numbered = ((number, *row) for number, row in enumerate(rows))
        self._database.executemany(
            "INSERT INTO found (rowid, title, headings, text) VALUES (?, ?, ?, ?)", numbered
        )
        self._database.commit()

    def close(self) -> None:
        """Gives the memory back."""
        self._database.close()

    def frequency(self, word: str) -> int:
        """In how many rows a word is."""
        ((count,),) = self._database.execute(
            "SELECT count(*) FROM found WHERE found MATCH ?", (self._query(word),)
        )
        return int(count)

    def rank(self, words: Sequence[str], most: int) -> list[int]:
        """The rows that hold any of the words, the best first."""
        if not words:
            return []
        ranked = self._database.execute(
            "SELECT rowid FROM found WHERE found MATCH ? ORDER BY bm25(found, ?, ?, ?), rowid LIMIT ?",
            (" OR ".join(map(self._query, words)), _TITLE, _HEADINGS, _TEXT, most),
        )
        return [int(row) for (row,) in ranked]

    def holding(self, word: str, rows: Collection[int], *, title: bool = False) -> set[int]:
        """Which of the rows hold a word, or do so in the title."""
        marks = ", ".join("?" * len(rows))
        found = self._database.execute(
            f"SELECT rowid FROM found WHERE found MATCH ? AND rowid IN ({marks})",  # noqa: S608 - marks only
            (f"title : {self._query(word)}" if title else self._query(word), *rows),
        )
        return {int(row) for (row,) in found}

    def _query(self, word: str) -> str:
        """In quotes nothing is an operator; a word has no quotes itself."""
        if self._has_stems or len(word) < _SHORTEST_STEM:
            return f'"{word}"'
        return f'"{word[: max(_SHORTEST_STEM, len(word) - _LONGEST_ENDING)]}"*'


def is_english(language: str) -> bool:
    """Whether a language's tag is one of English."""
    return language.casefold().replace("_", "-").partition("-")[0] == "en"
