"""Which way a run goes at each fork, and which runs there are.

Choice 0 is the usual way. ``few_deviations`` are all runs that leave it a bounded number of times, fewest first: a
failure found by them is a smallest one. ``Chance`` tells long stories with many faults.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol


class Chooser(Protocol):
    """Chooses."""

    def pick(self, ways: int, state: Callable[[], int]) -> int:
        """One of so many ways. ``state``: of the world, the same number wherever the same can follow."""


class Pruned(Exception):  # noqa: N818 - not a fault
    """All that can follow has been seen."""


@dataclass
class Path:
    """Goes where it is told, then the usual way; notes where it could have left."""

    told: tuple[int, ...]
    seen: dict[int, int]
    left: int
    ways: list[int] = field(default_factory=list)

    def pick(self, ways: int, state: Callable[[], int]) -> int:
        """As told."""
        place = len(self.ways)
        if place == len(self.told) and self.told:
            key = state()
            if self.seen.get(key, -1) >= self.left:
                raise Pruned
            self.seen[key] = self.left
        self.ways.append(ways)
        return self.told[place] if place < len(self.told) else 0


def few_deviations(most: int, run: Callable[[Path], object]) -> int:
    """Runs all of them with at most so many deviations; returns how many there were."""
    runs, seen = 0, dict[int, int]()
    fronts: list[tuple[tuple[int, ...], int]] = [((), most)]
    while fronts:
        following: list[tuple[tuple[int, ...], int]] = []
        for told, left in fronts:
            path = Path(told, seen, left)
            runs += 1
            try:
                run(path)
            except Pruned:
                continue
            if left:
                following += [(way, left - 1) for way in _departures(path)]
        fronts = following
    return runs


def _departures(path: Path) -> Iterator[tuple[int, ...]]:
    for place in range(len(path.told), len(path.ways)):
        usual = path.told + (0,) * (place - len(path.told))
        yield from ((*usual, way) for way in range(1, path.ways[place]))


@dataclass
class Chance:
    """Leaves the usual way again and again, up to so many choices, by a seed."""

    seed: int
    most: int = 150
    picked: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._boldness = self._random.choice((0.1, 0.3, 0.6))

    def pick(self, ways: int, state: Callable[[], int]) -> int:
        """By chance."""
        self.picked += 1
        if self.picked > self.most or self._random.random() > self._boldness:
            return 0
        return self._random.randrange(ways)
