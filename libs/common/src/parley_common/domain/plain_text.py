"""Markdown as a brain writes it becomes a text as a person would type it.

In plain text, headings and emphasis lose their marks; where a phone shows marks, ``Marks`` says which. Lists keep
bullets and numbers, links become ``text (url)``, tables become lines. A text that was plain stays what it was: a
line break is a line break, a URL is kept to the letter. Nothing raises; Markdown nested deeper than the parser
follows comes back untouched. This module does not shorten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it.token import Token

from parley_common.domain.html_source import readable_source
from parley_common.domain.inline_text import Inline
from parley_common.domain.markdown_parser import MAX_NESTING, MarkdownParser
from parley_common.domain.marks import PLAIN, Marks, Style

_MARKED = re.compile(r"[*_`\[\]<>#|~&\\\0]|[^\S \n]|(?:\A|\n)(?: |[-+=]|\d+[.)])| (?:\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")
_BLANK = re.compile(r"[\s>]*")
_LINE_START = re.compile(r"\n(?!\n)")
_INDENT = "  "


def to_plain_text(markdown: str) -> str:
    """The text to send for this Markdown."""
    if _MARKED.search(markdown) is None:  # most texts: the parser would find nothing, at fifty times the cost
        return _BLANK_LINES.sub("\n\n", markdown).strip("\n")
    return render_markdown(markdown)


def render_markdown(markdown: str, marks: Marks = PLAIN) -> str:
    """The same by way of the parser, whatever the text, and with any marks."""
    markdown = readable_source(markdown)
    tokens, env = _parser().parse_source(markdown)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        return markdown.strip()
    lines = re.split(r"\r\n?|\n", markdown)
    text = _Renderer(lines, marks).render(tokens)
    return "\n".join((text, *_unused_definitions(env, lines, text))).strip()


@lru_cache(maxsize=1)
def _parser() -> MarkdownParser:
    return MarkdownParser()


class _Frame:
    """An open block, with the text of what it holds so far."""

    def __init__(self, token: Token | None = None) -> None:
        self.token = token
        self.text = ""
        self.number = 0  # of the last item, in an ordered list
        self.cells: list[str] = []
        self.rows: list[list[str]] = []


class _Renderer:
    """Walks the flat tokens with a stack of open blocks; keeps blank lines where the source had them."""

    def __init__(self, lines: Sequence[str], marks: Marks) -> None:
        self._lines = lines
        self._inline = Inline(marks)
        self._fence = marks.fence
        self._stack = [_Frame()]

    def render(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            if token.type == "inline":
                self._stack[-1].text = self._inline.text(token.children or (), style=self._style())
            elif token.nesting == 1:
                self._stack.append(_Frame(token))
            elif token.nesting == -1:
                self._close(self._stack.pop())
            else:
                self._add(token, "---" if token.type == "hr" else self._code(token.content.rstrip("\n")))
        return self._stack[0].text

    def _style(self) -> Style | None:
        """A heading is bold."""
        opened = self._stack[-1].token
        is_heading = opened is not None and opened.type == "heading_open" and not self._short_underline(opened)
        return Style.BOLD if is_heading else None

    def _code(self, content: str) -> str:
        before, after = self._fence
        return f"{before}{content}{after}" if content.strip() and "```" not in content else content

    def _close(self, frame: _Frame) -> None:
        opened = frame.token
        if opened is None:
            return
        if opened.type in {"th_open", "td_open"}:
            self._stack[-1].cells.append(frame.text.replace("\n", " ").strip())
        elif opened.type == "tr_open":
            self._stack[-1].rows.append(frame.cells)
        elif opened.type in {"thead_open", "tbody_open"}:
            self._stack[-1].rows += frame.rows
        else:
            self._add(opened, self._finished(opened, frame))

    def _finished(self, opened: Token, frame: _Frame) -> str:
        if opened.type == "blockquote_open":
            return "\n".join(f"> {line}".rstrip() for line in frame.text.split("\n"))
        if opened.type == "list_item_open":
            return _LINE_START.sub("\n" + _INDENT, f"{self._marker(opened)} {frame.text}".rstrip())
        if opened.type == "table_open":
            return "\n".join(filter(None, map(_row_text, frame.rows)))
        if opened.type == "heading_open":
            return frame.text + self._short_underline(opened)
        return frame.text

    def _marker(self, item: Token) -> str:
        """The item's bullet or number; numbers that rise are kept, others are counted on."""
        if not item.info:
            return "+" if item.markup == "+" else "-"
        items = self._stack[-1]
        items.number = max(int(item.info), items.number + 1) if items.text else int(item.info)
        return f"{items.number}{item.markup}"

    def _short_underline(self, heading: Token) -> str:
        """A single dash or equals sign under a line is part of a plain text rather than a heading's mark."""
        if heading.markup not in {"-", "="} or heading.map is None:
            return ""
        underline = self._lines[heading.map[1] - 1].strip(" \t>")
        return "\n" + underline if len(underline) < 3 else ""

    def _add(self, block: Token, text: str) -> None:
        frame = self._stack[-1]
        if frame.text and text:
            frame.text += "\n\n" if self._follows_blank(block) else "\n"
        frame.text += text

    def _follows_blank(self, block: Token) -> bool:
        return block.map is None or bool(_BLANK.fullmatch(self._lines[block.map[0] - 1]))


def _row_text(cells: Sequence[str]) -> str:
    """Two columns as ``a: b``, more as ``a | b | c``."""
    if len(cells) == 2:
        return ": ".join(filter(None, (cells[0].removesuffix(":"), cells[1])))
    return " | ".join(cells).rstrip() if any(cells) else ""


def _unused_definitions(env: dict[str, Any], lines: Sequence[str], text: str) -> list[str]:
    """Link definitions whose URL nothing in the text has shown, as they were written."""
    definitions = [*env.get("references", {}).values(), *env.get("duplicate_refs", ())]
    unused = (definition for definition in definitions if definition["href"] not in text)
    return [lines[number] for definition in unused for number in range(*definition["map"])]
