"""Cuts a long text into the parts it is sent as, at places where a reader would pause.

A part never exceeds ``max_units`` UTF-16 code units, which is at most as many characters as Twilio counts. Cuts
fall between paragraphs, lines, sentences, words or, in a word longer than a part, visible characters, and never
within a URL that fits into one part. Only white space at a cut is lost. This module does not know segments.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from itertools import accumulate

from parley_common.domain.graphemes import split_graphemes
from parley_common.domain.segments import is_gsm_7, utf_16_units
from parley_common.domain.urls import URL

MAX_BODY_UNITS = 1600
"""What Twilio takes as one body; more is error 21617."""

_MIN_UNITS = 40
_GAP = re.compile(r"[^\S\u00a0\u2007\u202f]+")
_WIDE_STOP = re.compile(r"(?:[。！？]+|(?P<pause>[，、；]+))[」』）”’]*")
_SENTENCE_END = re.compile(r"(?:[!?…]|(?<!\d)\.)[\"'”’)\]]*$")


class _Break(IntEnum):
    """How good a place for a cut is; the order is the order of preference."""

    FORBIDDEN = 0
    CHARACTER = 1
    WORD = 2
    SENTENCE = 3
    LINE = 4
    PARAGRAPH = 5


def split_text(
    text: str, *, max_units: int = MAX_BODY_UNITS, numbered: bool = True, max_parts: int | None = None
) -> tuple[str, ...]:
    """The parts of a text, numbered ``(1/3) `` where there are several; none where the text is blank.

    With ``max_parts`` the rest is left out, and the last part says so with an ellipsis.
    """
    if max_units < _MIN_UNITS:
        raise ValueError(f"max_units is {max_units}; parts need at least {_MIN_UNITS} units")
    if max_parts is not None and max_parts < 1:
        raise ValueError(f"max_parts is {max_parts}; a text needs at least one part")
    text = _trim(text)
    if utf_16_units(text) <= max_units:
        return (text,) if text else ()
    if not numbered or max_parts == 1:
        return _cut_to(text, room=max_units, max_parts=max_parts)
    return _cut_and_number(text, max_units, max_parts)


def _cut_and_number(text: str, max_units: int, max_parts: int | None) -> tuple[str, ...]:
    """Numbers take room, and how much is known only when the parts are counted: try with ever more digits."""
    digits = 1
    while True:
        parts = _cut_to(text, room=max_units - len("(/) ") - 2 * digits, max_parts=max_parts)
        if len(parts) < 10**digits:
            return tuple(f"({number}/{len(parts)}) {part}" for number, part in enumerate(parts, start=1))
        digits += 1


def _cut_to(text: str, *, room: int, max_parts: int | None) -> tuple[str, ...]:
    parts = tuple(_cut(text, room))
    if max_parts is None or len(parts) <= max_parts:
        return parts
    ending = " ..." if is_gsm_7(text) else " …"
    last = next(_cut(parts[max_parts - 1], room - len(ending)))
    return (*parts[: max_parts - 1], last + ending)


def _cut(text: str, room: int) -> Iterator[str]:
    clusters = list(_clusters(text, room))
    breaks = _breaks(text, clusters, room)
    ends = list(accumulate(map(utf_16_units, clusters)))
    start = _skip_space(clusters, 0)
    while start < len(clusters):
        used = ends[start - 1] if start else 0
        limit = bisect_right(ends, used + room)
        middle = bisect_right(ends, used + room // 2)
        stop = limit if limit == len(clusters) else _best(breaks, start + 1, middle, limit)
        yield "".join(clusters[start : _drop_space(clusters, start, stop)])
        start = _skip_space(clusters, stop)


def _trim(text: str) -> str:
    """Without space around it; an accent that stands on a space keeps it."""
    if text == text.strip():
        return text
    clusters = list(split_graphemes(text))
    start = _skip_space(clusters, 0)
    return "".join(clusters[start : _drop_space(clusters, start, len(clusters))])


def _clusters(text: str, room: int) -> Iterator[str]:
    """Visible characters; one that no part could hold is taken apart into its code points."""
    for cluster in split_graphemes(text):
        if len(cluster) > 1 and utf_16_units(cluster) > room:
            yield from cluster
        else:
            yield cluster


def _best(breaks: list[_Break], first: int, middle: int, limit: int) -> int:
    """The last of the best places: a good one in the latter half, else any word, else any character."""
    found = _last_best(breaks, max(first, middle), limit)
    if breaks[found] < _Break.WORD:
        found = _last_best(breaks, first, limit)
    return limit if breaks[found] is _Break.FORBIDDEN else found


def _last_best(breaks: list[_Break], first: int, limit: int) -> int:
    return max(range(first, limit + 1), key=lambda place: (breaks[place], place), default=limit)


def _breaks(text: str, clusters: list[str], room: int) -> list[_Break]:
    """For each cluster, what a cut before it would be."""
    starts = [0, *accumulate(map(len, clusters))]
    index_at = {start: index for index, start in enumerate(starts)}
    breaks = [_Break.CHARACTER] * len(starts)
    for place, kind in _pauses(text):
        if place in index_at:
            breaks[index_at[place]] = kind
    for url in URL.finditer(text):
        if utf_16_units(url[0]) <= room:
            for index in range(bisect_right(starts, url.start()), bisect_left(starts, url.end())):
                breaks[index] = _Break.FORBIDDEN
    return breaks


def _pauses(text: str) -> Iterator[tuple[int, _Break]]:
    for stop in _WIDE_STOP.finditer(text):
        yield stop.end(), _Break.WORD if stop["pause"] else _Break.SENTENCE
    for gap in _GAP.finditer(text):
        yield gap.end(), _kind_of_gap(text, gap)


def _kind_of_gap(text: str, gap: re.Match[str]) -> _Break:
    lines = gap[0].count("\n")
    if lines:
        return _Break.LINE if lines == 1 else _Break.PARAGRAPH
    ends_sentence = _SENTENCE_END.search(text[max(0, gap.start() - 8) : gap.start()])
    goes_on = text[gap.end() : gap.end() + 1].islower()
    return _Break.SENTENCE if ends_sentence and not goes_on else _Break.WORD


def _skip_space(clusters: list[str], start: int) -> int:
    while start < len(clusters) and clusters[start].isspace():
        start += 1
    return start


def _drop_space(clusters: list[str], start: int, stop: int) -> int:
    while stop > start and clusters[stop - 1].isspace():
        stop -= 1
    return stop
