"""Markdown as a brain writes it becomes the parts of a WhatsApp message that keep what WhatsApp can show.

Bold, italic, struck text, code, blocks of code, quotes and lists keep their marks, headings are bold lines, links
are ``text (url)``, tables are lines. A style that a cut goes through ends with its part and begins anew in the
next one. A star that is only a star stays one: where WhatsApp would take two for marks, they are replaced by signs
that look the same. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from parley_common.domain.marks import Style
from parley_common.domain.plain_text import render_markdown
from parley_common.domain.segments import utf_16_units
from parley_common.domain.splitting import MAX_BODY_UNITS, split_text
from parley_common.domain.urls import URL
from parley_common.domain.whatsapp_marks import CLOSED, FENCE, OPENED, WHATSAPP, clean, closing, opening, written

_ROOM = 16
"""What marks that are closed and opened again at a cut may take."""

_NUMBER = re.compile(r"\(\d+/\d+\) ")
_MARK = re.compile(f"{FENCE}|[{''.join((*OPENED, *CLOSED))}]")
_EMPTY = re.compile(
    "|".join((*(opening(style) + closing(style) for style in OPENED.values()), f"{FENCE}\n+{FENCE}(?:\n|$)"))
)
_CODE_SPAN = re.compile(f"{opening(Style.CODE)}.*?{closing(Style.CODE)}")

_TICKS = re.compile("`{3,}")
_LOOK_ALIKES = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"}
_STYLE_OF = {"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRUCK, "`": Style.CODE}


def whatsapp_parts(
    markdown: str, *, max_units: int = MAX_BODY_UNITS, max_parts: int | None = None
) -> tuple[str, ...]:
    """The bodies to send for this Markdown; none where it says nothing."""
    text = "\n".join(_defused(render_markdown(clean(markdown), WHATSAPP)))
    if utf_16_units(text) <= max_units:
        return (written(text),) if text.strip() else ()
    parts = split_text(text, max_units=max_units - _ROOM, max_parts=max_parts)
    return tuple(map(written, _balanced(parts)))


def _balanced(parts: tuple[str, ...]) -> Iterator[str]:
    """The parts, each with its own marks: what is open at the end of one begins again in the next."""
    is_open: list[str] = []
    for part in parts:
        number = _NUMBER.match(part) if len(parts) > 1 else None
        start = number.end() if number else 0
        body = "".join(mark + "\n" if mark == FENCE else mark for mark in is_open) + part[start:]
        is_open = _open_after(body)
        body += "".join("\n" + FENCE if mark == FENCE else closing(OPENED[mark]) for mark in reversed(is_open))
        yield part[:start] + _EMPTY.sub("", body)


def _open_after(body: str) -> list[str]:
    """The marks that nothing has closed, the outermost first."""
    found: list[str] = []
    for mark in _MARK.findall(body):
        if mark == FENCE and FENCE in found:
            found.remove(FENCE)
        elif mark in CLOSED:
            if opening(CLOSED[mark]) in found:
                found.remove(opening(CLOSED[mark]))
        else:
            found.append(mark)
    return found


def _defused(text: str) -> Iterator[str]:
    """The lines, in which no sign of the text itself makes WhatsApp format it."""
    in_code = False
    for line in text.split("\n"):
        if FENCE in line:
            in_code = not in_code
        yield line if in_code or FENCE in line else _defused_line(line)


def _defused_line(line: str) -> str:
    line = _TICKS.sub(lambda ticks: _LOOK_ALIKES["`"] * len(ticks[0]), line)
    for sign, style in _STYLE_OF.items():
        if line.count(sign):
            line = _without_pairs(line, sign, style)
    return line


def _without_pairs(line: str, sign: str, style: Style) -> str:
    """The line with those signs replaced that WhatsApp would pair with one another or with a mark."""
    spared = [found.span() for pattern in (URL, _CODE_SPAN) for found in pattern.finditer(line)]
    own = [
        at for at, char in enumerate(line) if char == sign and not any(start <= at < end for start, end in spared)
    ]
    opens = {at for at in own if _may_open(line, at)}
    closes = {at for at in own if _may_close(line, at)}
    marks_open = {at for at, char in enumerate(line) if char == opening(style)}
    marks_close = {at for at, char in enumerate(line) if char == closing(style)}
    first = min(opens | marks_open, default=len(line))
    last = max(closes | marks_close, default=-1)
    paired = {at for at in opens if at < last} | {at for at in closes if at > first} if last > first + 1 else set()
    return "".join(_LOOK_ALIKES[sign] if at in paired else char for at, char in enumerate(line))


def _may_open(line: str, at: int) -> bool:
    """Whether WhatsApp could take the sign for one that opens: at a word's start, however many stand there."""
    following = line[at + 1 : at + 2]
    before = line[:at].rstrip(line[at])[-1:]
    return not before.isalnum() and bool(following) and not following.isspace()


def _may_close(line: str, at: int) -> bool:
    """The same at the end of a word."""
    before = line[max(0, at - 1) : at]
    following = line[at + 1 :].lstrip(line[at])[:1]
    return bool(before) and not before.isspace() and not following.isalnum()
