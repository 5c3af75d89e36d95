"""One paragraph of parsed Markdown as text: links as ``text (url)``, URLs as written, emphasis as it is shown.

What shows emphasis comes in as ``Marks``. This module does not know blocks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from parley_common.domain.html_tags import Tag, TagKind, closed_names, read_tag
from parley_common.domain.marks import Marks, Style

_BREAK = "\0"  # a tag that ends a line; the parser lets no NUL through
_MARKER = r"(?:-|\d+\.) "
_BREAKS = re.compile(r"[ \n]*\0[ \n\0]*")
_AFTER_MARKER = re.compile(rf"(\0{_MARKER})(?:[ \n]|\0(?!{_MARKER}))+")
_SCHEME = re.compile(r"(?i)(?:https?://|mailto:|tel:)(?:www\.)?")
_DIALLED = re.compile(r"(?i)(?:mailto|tel):([^?]+)")

_FIXED_TEXT = {"softbreak": "\n", "hardbreak": "\n"}
_HTML_TEXT = {TagKind.NOTHING: "", TagKind.BREAK: _BREAK, TagKind.LIST: _BREAK, TagKind.CELL: " "}
_STYLES = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRUCK}


class Inline:
    """Turns the children of ``inline`` tokens into text. One per text: HTML lists reach over paragraphs."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.lists: list[int | None] = []
        """The open HTML lists: the number of the last item, None where items have none."""

    def text(self, tokens: Sequence[Token], *, style: Style | None = None) -> str:
        """The text of one paragraph, all of it in a style where one is given."""
        text = self.raw(tokens)
        if _BREAK in text:
            text = _BREAKS.sub("\n", _AFTER_MARKER.sub(r"\1", text)).strip("\n")
        return self.marks.laid_out(self.marks.around(style, text) if style else text)

    def raw(self, tokens: Sequence[Token]) -> str:
        """The text before it is laid out."""
        writer = _Writer(self, closed_names([token.content for token in tokens if token.type == "html_inline"]))
        for token in tokens:
            writer.write(token)
        return writer.finished()


class _Writer:
    """Collects text and closes links and styles over what was written since they opened."""

    def __init__(self, inline: Inline, closed: frozenset[str]) -> None:
        self._inline = inline
        self._marks = inline.marks
        self._closed = closed
        self._pieces: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._styles: list[Style] = []

    def finished(self) -> str:
        """All that was written."""
        while self._links:
            self._close_link()
        return "".join(self._pieces)

    def write(self, token: Token) -> None:
        kind, _, side = token.type.rpartition("_")
        if token.type == "link_open":
            self._open_link(str(token.attrs.get("href", "")))
        elif token.type == "link_close":
            self._close_link()
        elif token.type == "image":
            label = self._inline.raw(token.children or ())
            self._pieces.append(show_link(label, str(token.attrs.get("src", "")), self._marks))
        elif token.type == "html_inline":
            self._write_html(token.content)
        elif token.type == "code_inline":
            self._pieces.append(self._marks.around(Style.CODE, token.content))
        elif kind in _STYLES:
            self._mark(_STYLES[kind], closes=side == "close")
        else:
            self._pieces.append(_FIXED_TEXT.get(token.type, token.content))

    def _mark(self, style: Style, *, closes: bool) -> None:
        self._pieces.append((self._marks.closing if closes else self._marks.opening).get(style, ""))

    def _open_link(self, url: str) -> None:
        self._links.append((url, len(self._pieces)))

    def _close_link(self) -> None:
        if self._links:
            url, start = self._links.pop()
            label = "".join(self._pieces[start:])
            self._pieces[start:] = [show_link(label, url, self._marks)]

    def _write_html(self, source: str) -> None:
        tag = read_tag(source, self._closed)
        if tag.kind is TagKind.LINK_OPEN:
            self._open_link(tag.url)
        elif tag.kind is TagKind.LINK_CLOSE:
            self._close_link()
        elif tag.kind is TagKind.IMAGE:
            self._pieces.append(show_link(tag.alt, tag.url, self._marks))
        else:
            self._write_tag(tag, source)

    def _write_tag(self, tag: Tag, source: str) -> None:
        if tag.closes and tag.style in self._styles:
            self._styles.remove(tag.style)
            self._mark(tag.style, closes=True)
        if tag.kind is TagKind.ITEM:
            self._pieces.append(_BREAK + self._marker())
        else:
            self._pieces.append(_HTML_TEXT.get(tag.kind, source))
        if tag.kind is TagKind.LIST:
            self._open_or_close_list(tag)
        if tag.style is not None and not tag.closes:
            self._styles.append(tag.style)
            self._mark(tag.style, closes=False)

    def _open_or_close_list(self, tag: Tag) -> None:
        lists = self._inline.lists
        if not tag.closes:
            lists.append(0 if tag.numbered else None)
        elif lists:
            lists.pop()

    def _marker(self) -> str:
        lists = self._inline.lists
        if not lists or lists[-1] is None:
            return "- "
        lists[-1] += 1
        return f"{lists[-1]}. "


def show_link(label: str, url: str, marks: Marks) -> str:
    """``label (url)``; the URL alone where the label says no more; the label where the URL leads nowhere."""
    target = _DIALLED.sub(r"\1", url) if _DIALLED.fullmatch(url) else url
    if not target or target.startswith("#") or target.lower().startswith("data:"):
        return label
    words = marks.bare(label)
    if not words.strip() or _bare(words) == _bare(url):
        return marks.around(Style.URL, target)
    return label + marks.around(Style.URL, f" ({target})")


def _bare(url: str) -> str:
    return _SCHEME.sub("", url.strip(), count=1).rstrip("/").lower()
