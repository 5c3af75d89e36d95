"""WhatsApp's own marks, for bold, italic, struck text and code, and where WhatsApp takes them as such.

A mark counts at the edge of a word, around text of one line that neither begins nor ends with a space. Nothing
else is marked: within a word (``un**believ**able``) emphasis is dropped rather than shown as stars, and no mark
touches a URL. Until a text is cut into parts, marks are characters that no text may hold, so that a star is told
from a mark; ``written`` makes them what WhatsApp reads. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from parley_common.domain.marks import Marks, Style
from parley_common.domain.urls import URL

_SIGNS = {Style.BOLD: "*", Style.ITALIC: "_", Style.STRUCK: "~", Style.CODE: "`"}
_RESERVED = range(0xFDD0, 0xFDF0)  # noncharacters: not for interchange, whoever writes text
_OPENING = {style: chr(0xFDD0 + 2 * number) for number, style in enumerate(Style)}
_CLOSING = {style: chr(0xFDD1 + 2 * number) for number, style in enumerate(Style)}
FENCE = chr(0xFDEF) * 3
"""Begins and ends a block of code."""

OPENED = {_OPENING[style]: style for style in _SIGNS}
CLOSED = {_CLOSING[style]: style for style in _SIGNS}
_ANY_MARK = re.compile(f"([{''.join((*_OPENING.values(), *_CLOSING.values()))}])")
_WRITTEN = str.maketrans(
    {_OPENING[style]: sign for style, sign in _SIGNS.items()}
    | {_CLOSING[style]: sign for style, sign in _SIGNS.items()}
    | {FENCE[0]: "`"}
)
_UNWANTED = dict.fromkeys(_RESERVED)

_Run = tuple[str, frozenset[Style]]


def clean(text: str) -> str:
    """The text without the characters that stand for marks here."""
    return text.translate(_UNWANTED)


def written(text: str) -> str:
    """The text as WhatsApp reads it."""
    return text.translate(_WRITTEN)


def opening(style: Style) -> str:
    """The mark that begins a style."""
    return _OPENING[style]


def closing(style: Style) -> str:
    """The mark that ends it."""
    return _CLOSING[style]


def _laid_out(text: str) -> str:
    """A paragraph with its marks where WhatsApp takes them, line by line."""
    if _ANY_MARK.search(text) is None:
        return text
    lines: list[list[_Run]] = [[]]
    for piece, styles in _runs(text):
        first, *following = piece.split("\n")
        lines[-1].append((first, styles))
        lines += ([(part, styles)] for part in following)
    return "\n".join(_marked([run for run in line if run[0]]) for line in lines)


def _runs(text: str) -> Iterator[_Run]:
    """Stretches of text and their styles; URLs have none."""
    depth: Counter[Style] = Counter()
    ends = {mark: style for style, mark in _CLOSING.items()}
    begins = {mark: style for style, mark in _OPENING.items()}
    for piece in _ANY_MARK.split(text):
        if piece in begins:
            depth[begins[piece]] += 1
        elif piece in ends:
            depth[ends[piece]] = max(0, depth[ends[piece]] - 1)
        elif piece:
            styles = frozenset(style for style in Style if depth[style])
            yield from ((piece, frozenset()),) if Style.URL in styles else _without_urls(piece, styles)


def _without_urls(text: str, styles: frozenset[Style]) -> Iterator[_Run]:
    done = 0
    for url in URL.finditer(text):
        if Style.CODE in styles and url.end() < len(text):
            continue
        yield from ((text[done : url.start()], styles), (url[0], frozenset()))
        done = url.end()
    yield text[done:], styles


def _marked(runs: Sequence[_Run], left: str = "", right: str = "") -> str:
    """The runs of one line with marks. ``left`` and ``right``: the characters beside them, none at an edge."""
    out = ""
    at = 0
    while at < len(runs):
        text, styles = runs[at]
        if not styles:
            out, at = out + text, at + 1
            continue
        style, end = max(((s, _reach(runs, at, s)) for s in Style if s in styles), key=lambda found: found[1])
        group = [(inner, held - {style}) for inner, held in runs[at:end]]
        after = runs[end][0][0] if end < len(runs) else right
        out += _wrapped(style, group, (out or left)[-1:], after)
        at = end
    return out


def _reach(runs: Sequence[_Run], start: int, style: Style) -> int:
    """Where the stretch of a style that begins here ends."""
    return next((at for at in range(start, len(runs)) if style not in runs[at][1]), len(runs))


def _wrapped(style: Style, group: list[_Run], left: str, right: str) -> str:
    raw = "".join(text for text, _ in group)
    body = raw.strip()
    before = raw[: len(raw) - len(raw.lstrip())]
    after = raw[len(raw.rstrip()) :] if body else ""
    if not body:
        return raw
    group = _stripped(group, len(before), len(after))
    is_edge = not ((left.isalnum() and not before) or (right.isalnum() and not after))
    if not is_edge or (style is Style.CODE and "`" in body):
        return before + _marked(group, (before or left)[-1:], (after or right)[:1]) + after
    inner = body if style is Style.CODE else _marked(group)
    return f"{before}{_OPENING[style]}{inner}{_CLOSING[style]}{after}"


def _stripped(group: list[_Run], before: int, after: int) -> list[_Run]:
    """The runs without so many characters at their ends."""
    for text, styles in list(group):
        if before < len(text):
            group = [(text[before:], styles), *group[1:]]
            break
        before, group = before - len(text), group[1:]
    for text, styles in reversed(list(group)):
        if after < len(text):
            return [*group[:-1], (text[: len(text) - after], styles)]
        after, group = after - len(text), group[:-1]
    return group


def _bare(text: str) -> str:
    return _ANY_MARK.sub("", text)


WHATSAPP = Marks(
    opening=_OPENING, closing=_CLOSING, fence=(FENCE + "\n", "\n" + FENCE), laid_out=_laid_out, bare=_bare
)
"""What the walk over Markdown writes for a phone with WhatsApp."""
