"""Finds the passages that answer a question, and says nothing where none does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from parley_brains.knowledge.index import Index
from parley_brains.knowledge.languages import searched
from parley_brains.knowledge.passages import BETWEEN_HEADINGS, Passage
from parley_brains.knowledge.quoting import quote
from parley_brains.knowledge.reading import read_folder

LEAST_SHARE = 0.5
"""More of what is asked must be in a passage than this, each word weighed by how rare it is."""

TITLED = 0.15
"""What is told for a passage if one of the words is in its title: then it is about that.

Not where another word is in no passage at all: then the question is about that.
"""

_LOOKED_AT = 10
_RANKED_BY = 6
"""The rarest words of a question: the others move no passage up, and cost the most."""


class Knowledge:
    """A folder of Markdown. It is read once; a change is seen by the next start.

    ``language``: an IETF tag, like ``en`` or ``de-CH``. Raises ``SettingsError`` where a file cannot be read.
    """

    def __init__(self, folder: Path, *, language: str = "en") -> None:
        self._language = language
        self._passages: Sequence[Passage] = read_folder(folder)
        self._index = Index(map(_row, self._passages), language)

    def __len__(self) -> int:
        return len(self._passages)

    def search(self, question: str, most: int = 3) -> list[Passage]:
        """The passages with most of what is asked, by BM25 among alike ones; none where nothing fits."""
        weights = self._weights(question)
        known = sorted((word for word in weights if weights[word][1]), key=lambda word: weights[word][1])
        ranked = self._index.rank(known[:_RANKED_BY], max(most, _LOOKED_AT))
        shares = self._shares(weights, ranked)
        fitting = sorted(
            (row for row in ranked if shares[row] > LEAST_SHARE), key=lambda row: -round(shares[row], 1)
        )
        return [self._passages[row] for row in fitting[:most]]

    def quote(self, passage: Passage, question: str, most_characters: int = 300) -> str:
        """The sentences of a passage that answer the question, whole ones as far as they fit."""
        weights = {word: weight for word, (weight, _) in self._weights(question).items()}
        return quote(passage.text, weights, self._language, most_characters)

    def close(self) -> None:
        """Gives the memory back."""
        self._index.close()

    def _weights(self, question: str) -> Mapping[str, tuple[float, int]]:
        """How much each word says, and in how many passages it is. A number that is in none says nothing."""
        total = len(self._passages)
        counts = {word: self._index.frequency(word) for word in searched(question, self._language)}
        return {
            word: (weight(count, total), count) for word, count in counts.items() if count or not word.isdigit()
        }

    def _shares(self, weights: Mapping[str, tuple[float, int]], rows: Sequence[int]) -> Mapping[int, float]:
        """How much of the question each row holds, from 0 to 1, and the more where its title does."""
        shares = dict.fromkeys(rows, 0.0)
        titled: set[int] = set()
        is_known = all(frequency for _, frequency in weights.values())
        asked = sum(said for said, _ in weights.values())
        for word, (said, frequency) in weights.items():
            if not (frequency and rows):
                continue
            titled |= self._index.holding(word, rows, title=True) if is_known else set()
            for row in self._index.holding(word, rows):
                shares[row] += said / asked
        return {row: share + TITLED * (row in titled) for row, share in shares.items()}


def weight(count: int, total: int) -> float:
    """How much a word says that is in ``count`` of ``total`` passages: the rarer, the more."""
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


def _row(passage: Passage) -> tuple[str, str, str]:
    headings, _, title = passage.title.rpartition(BETWEEN_HEADINGS)
    return title, headings, passage.text
