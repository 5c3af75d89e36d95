"""The part of a passage that answers a question, as short as a text message wants it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from parley_brains.answering import shortened
from parley_brains.knowledge.index import Index

_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})")
_RULE = re.compile(r"[\s|:=_*-]*|\s*(?:`{3,}|~{3,}).*")
_SENTENCE = re.compile(
    r"""(?<!\b[A-Z]\.)(?<!\b[A-Z][a-z]\.)"""  # no initial, no title like Dr.
    r"""(?:(?<=[.!?…])|(?<=[.!?…]["'”’»)\]*_])|(?<=[.!?…]\*\*))\s+(?=["'“‘«(\[*_¿¡]*[^\W_a-z])"""
    r"""|(?<=[。！？])"""
)


@dataclass(frozen=True)
class _Unit:
    """A sentence, or a line that is one: of a list, of a table. ``gap``: what stands before it."""

    text: str
    gap: str


def quote(markdown: str, weights: Mapping[str, float], language: str, most_characters: int) -> str:
    """Whole sentences that follow one another, those that say most of what is asked; all where all fit.

    ``weights``: the words of the question, and how much each says. Only a sentence that is too long by itself is
    cut, and then ends in an ellipsis.
    """
    markdown = unwrapped(markdown).strip()
    if len(markdown) <= most_characters:
        return markdown
    units = list(_units(markdown))
    if not units:
        return shortened(markdown, most_characters)
    scores = _scores(units, weights, language)
    best = max(_windows(units, most_characters), key=lambda window: _worth(window, units, scores))
    chosen = units[best.start : best.stop]
    return _joined(chosen) if _length(chosen) <= most_characters else shortened(chosen[0].text, most_characters)


def unwrapped(markdown: str) -> str:
    """Running text without the line breaks of its source; those of code, lists and tables are meant."""
    lines: list[str] = []
    in_code = goes_on = False
    for line in markdown.split("\n"):
        is_fence = bool(_FENCE.match(line))
        stands_alone = in_code or is_fence or _is_row(line) or _RULE.fullmatch(line)
        if goes_on and not stands_alone and not _ITEM.match(line):
            lines[-1] = f"{lines[-1].rstrip()} {line.lstrip()}"
        else:
            lines.append(line)
        in_code ^= is_fence
        goes_on = not stands_alone and not line.endswith(("  ", "\\"))
    return "\n".join(lines)


def _units(markdown: str) -> Iterator[_Unit]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", markdown)):
        gap = "\n\n" if number else ""
        for line in _lines(paragraph):
            for sentence in [line] if _ITEM.match(line) else _SENTENCE.split(line):
                if sentence.strip():
                    yield _Unit(sentence.strip(), gap)
                    gap = " "
            gap = "\n"


def _lines(paragraph: str) -> Iterator[str]:
    """The lines of lists and tables; those of running text are one."""
    running = ""
    for line in paragraph.split("\n"):
        if _RULE.fullmatch(line):
            continue
        if running and (_is_row(line) or _ITEM.match(line)):
            yield running
            running = ""
        if _is_row(line):
            yield _row_text(line)
        else:
            running = f"{running} {line.strip()}" if running else line
    if running:
        yield running


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


def _row_text(line: str) -> str:
    """A row of a table that has lost its head is none any more."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return (": " if len(cells) == 2 else " | ").join(cells)


def _scores(units: Sequence[_Unit], weights: Mapping[str, float], language: str) -> Sequence[float]:
    """How much of the question each unit says."""
    index = Index((("", "", unit.text) for unit in units), language)
    scores = [0.0] * len(units)
    for word, weight in weights.items():
        for row in index.holding(word, range(len(units))):
            scores[row] += weight
    index.close()
    return scores


def _windows(units: Sequence[_Unit], most_characters: int) -> Iterator[range]:
    """Runs of units that fit, the longest from each place on; at least one unit."""
    for start in range(len(units)):
        ends = range(start + 1, len(units) + 1)
        fitting = itertools.takewhile(lambda end: _length(units[start:end]) <= most_characters, ends)  # noqa: B023
        yield range(start, max(fitting, default=start + 1))


def _worth(window: range, units: Sequence[_Unit], scores: Sequence[float]) -> tuple[float, bool, float, int]:
    """More of what is asked first, then what begins where a paragraph does, then what says it early."""
    first = next((row - window.start for row in window if scores[row]), 0)
    begins = units[window.start].gap != " "
    return sum(scores[row] for row in window), begins, -first, -window.start


def _length(units: Sequence[_Unit]) -> int:
    return sum(len(unit.text) + len(unit.gap) for unit in units)


def _joined(units: Sequence[_Unit]) -> str:
    return "".join(f"{unit.gap if number else ''}{unit.text}" for number, unit in enumerate(units))
