"""Markdown becomes passages: one for each heading, or several where much stands under one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 1_500
"""Of a passage. More under one heading is cut between paragraphs, so that a passage is about one thing."""

BETWEEN_HEADINGS = " / "
"""An arrow would make a text message twice as dear: the alphabet of SMS has none."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*\n", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_PARAGRAPH = re.compile(r"\s*(?:$|[-*+>|]|\d+[.)]\s)")
_EMPHASIS = re.compile(r"[*_`]+(?=\S)|(?<=\S)[*_`]+")


@dataclass(frozen=True)
class Passage:
    """``title``: its headings, the outermost first. ``text``: Markdown. ``source``: its file within the folder."""

    title: str
    text: str
    source: str


def split(markdown: str, source: str) -> Iterator[Passage]:
    """The passages of one file. What stands before its first heading is titled by the file's name."""
    headings: list[tuple[int, str]] = []
    title, lines = _name(source), list[str]()
    for line, level in _lines(markdown):
        if not level:
            lines.append(line)
            continue
        yield from _passages(title, lines, source)
        headings = [one for one in headings if one[0] < level] + [(level, line)]
        title, lines = BETWEEN_HEADINGS.join(text for _, text in headings if text) or _name(source), []
    yield from _passages(title, lines, source)


def _lines(markdown: str) -> Iterator[tuple[str, int]]:
    """Each line with the level of the heading it is, 0 for none; in code there are no headings."""
    text = _COMMENT.sub("", _FRONT_MATTER.sub("", markdown.replace("\r\n", "\n").replace("\r", "\n")))
    lines, fence, skipped = text.split("\n"), "", False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        opened = _FENCE.match(line)
        if fence or opened:
            if opened and not fence:
                fence = opened[1]
            elif opened and opened[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
            yield line, 0
        elif skipped:
            skipped = False
        elif heading := _HEADING.fullmatch(line):
            yield _plain(heading[2] or ""), len(heading[1])
        elif (under := _UNDERLINE.fullmatch(following)) and not _NO_PARAGRAPH.match(line):
            skipped = True
            yield _plain(line), 1 if "=" in under[1] else 2
        else:
            yield line, 0


def _passages(title: str, lines: list[str], source: str) -> Iterator[Passage]:
    for text in _cut("\n".join(lines).strip("\n")):
        if any(character.isalnum() for character in text):
            yield Passage(title=title, text=text, source=source)


def _cut(text: str) -> Iterator[str]:
    """Pieces of whole paragraphs; a paragraph that is too long by itself is cut between lines or words."""
    piece = ""
    for paragraph in re.split(r"\n\s*\n", text):
        if piece and len(piece) + len(paragraph) + 2 > MOST_CHARACTERS:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{paragraph}" if piece else paragraph
        while len(piece) > MOST_CHARACTERS:
            room = piece[:MOST_CHARACTERS]
            end = max(room.rfind("\n"), room.rfind(". ") + 1) or max(room.rfind(" "), 0) or MOST_CHARACTERS
            yield piece[:end].rstrip()
            piece = piece[end:].lstrip()
    if piece:
        yield piece


def _plain(heading: str) -> str:
    """A heading without its marks, on one line; of a link, its text."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return " ".join(_EMPHASIS.sub("", text).split())


def _name(source: str) -> str:
    """``shop/opening-hours.md`` is called "Opening hours"."""
    name = source.rpartition("/")[2].rpartition(".")[0].replace("-", " ").replace("_", " ").strip()
    return name[:1].upper() + name[1:] or source
