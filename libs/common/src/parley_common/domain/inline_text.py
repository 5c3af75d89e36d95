"""One paragraph of parsed Markdown as plain text: emphasis gone, links as ``text (url)``, every URL as written.

Struck text keeps one tilde at each end: without it, a price that no longer holds would read like one that does.
This module does not know blocks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from parley_common.domain.html_tags import TagKind, closed_names, read_tag

_BREAK = "\0"  # a tag that ends a line; the parser lets no NUL through
_BREAKS = re.compile(r"[ \n]*\0[ \n\0]*")
_SCHEME = re.compile(r"(?i)(?:https?://|mailto:|tel:)(?:www\.)?")
_DIALLED = re.compile(r"(?i)(?:mailto|tel):([^?]+)")


class _Writer:
    """Collects text and closes links over what was written since they opened."""

    def __init__(self, closed: frozenset[str]) -> None:
        self._closed = closed
        self.pieces: list[str] = []
        self.links: list[tuple[str, int]] = []

    def open_link(self, url: str) -> None:
        self.links.append((url, len(self.pieces)))

    def close_link(self) -> None:
        if self.links:
            url, start = self.links.pop()
            label = "".join(self.pieces[start:])
            self.pieces[start:] = [show_link(label, url)]

    def write_html(self, source: str) -> None:
        tag = read_tag(source, self._closed)
        if tag.kind is TagKind.LINK_OPEN:
            self.open_link(tag.url)
        elif tag.kind is TagKind.LINK_CLOSE:
            self.close_link()
        elif tag.kind is TagKind.IMAGE:
            self.pieces.append(show_link(tag.alt, tag.url))
        else:
            self.pieces.append(_HTML_TEXT.get(tag.kind, source))


_HTML_TEXT = {TagKind.NOTHING: "", TagKind.BREAK: _BREAK, TagKind.ITEM: _BREAK + "- ", TagKind.CELL: " "}
_FIXED_TEXT = {"softbreak": "\n", "hardbreak": "\n", "s_open": "~", "s_close": "~"}


def to_inline_text(tokens: Sequence[Token]) -> str:
    """The text of the children of one ``inline`` token."""
    tags = [token.content for token in tokens if token.type == "html_inline"]
    writer = _Writer(closed_names(tags))
    for token in tokens:
        _write(writer, token)
    while writer.links:
        writer.close_link()
    text = "".join(writer.pieces)
    return _BREAKS.sub("\n", text).strip("\n") if _BREAK in text else text


def show_link(label: str, url: str) -> str:
    """``label (url)``; the URL alone where the label says no more; the label where the URL leads nowhere."""
    target = _DIALLED.sub(r"\1", url) if _DIALLED.fullmatch(url) else url
    if not target or target.startswith("#") or target.lower().startswith("data:"):
        return label
    if not label.strip() or _bare(label) == _bare(url):
        return target
    return f"{label} ({target})"


def _write(writer: _Writer, token: Token) -> None:
    if token.type == "link_open":
        writer.open_link(str(token.attrs.get("href", "")))
    elif token.type == "link_close":
        writer.close_link()
    elif token.type == "image":
        writer.pieces.append(show_link(to_inline_text(token.children or ()), str(token.attrs.get("src", ""))))
    elif token.type == "html_inline":
        writer.write_html(token.content)
    else:
        writer.pieces.append(_FIXED_TEXT.get(token.type, token.content))


def _bare(url: str) -> str:
    return _SCHEME.sub("", url.strip(), count=1).rstrip("/").lower()
