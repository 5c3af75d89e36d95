"""A CommonMark parser for people who text: tables and strikethrough too, and less eager than the standard.

Where the standard would take characters away from a text that was never meant as Markdown, this does not: a
star between letters or digits is a star (``2*3*4``), underscores belong to a dotted name (``__init__.py``), a bare
URL is a URL whatever stars it holds, ``[note]: yes`` is a line, not a definition. HTML is left in place as tags.
Next to scripts without spaces, stars are emphasis more often than in the standard, which fails there. This module
does not render.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline, emphasis
from markdown_it.token import Token

MAX_NESTING = 60
"""Levels of lists and quotes that are parsed; a list takes two."""

_SCHEME_END = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}\Z")
_URL_TAIL = re.compile(r"://(?:(?!\*\*|~~)[^\s<>\[\]`\\\"“”。！？，、；：（）「」『』《》])+")
_URL_DEFINITION = re.compile(r"\[[^\]\n]+\]:\s*<?(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:|www\.|/|\./|#)\S")
_DOTTED_BEFORE = re.compile(r"\w\.\Z")
_DOTTED = re.compile(r"\.\w|\(\)")
_TRAILING = "*_~.,;:!?'"


class MarkdownParser(MarkdownIt):
    """Keeps every URL as it was written, of whatever scheme."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"maxNesting": MAX_NESTING})
        self.enable(["table", "strikethrough"]).disable(["html_block"])
        self.block.ruler.at("reference", _url_reference)
        self.inline.ruler.at("emphasis", _emphasis)
        self.inline.ruler.push("bare_url", _bare_url)

    def parse_source(self, source: str) -> tuple[list[Token], dict[str, Any]]:
        """The tokens, and the environment with the link definitions that were found."""
        env: dict[str, Any] = {}
        return self.parse(source, env), env

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - overrides markdown-it's name
        """As it was written: no percent-encoding, no punycode."""
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - overrides markdown-it's name
        """As it was written."""
        return link

    def validateLink(self, url: str) -> bool:  # noqa: N802 - overrides markdown-it's name
        """All pass: plain text runs nothing, and a refused link would show its brackets."""
        return True


def _url_reference(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:  # noqa: FBT001 - a markdown-it rule
    line = state.src[state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]]
    return bool(_URL_DEFINITION.match(line)) and reference(state, start_line, end_line, silent)


def _emphasis(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - a markdown-it rule
    start, known = state.pos, len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    if state.src[start] == "*":
        left, right = state.src[start - 1 : start], state.src[state.pos : state.pos + 1]
        for delimiter in state.delimiters[known:]:
            delimiter.open, delimiter.close = _flanking(left, right, delimiter.open, delimiter.close)
    elif _DOTTED_BEFORE.search(state.src[max(0, start - 2) : start]) or _DOTTED.match(state.src, state.pos):
        for delimiter in state.delimiters[known:]:
            delimiter.open = delimiter.close = False
    return True


def _flanking(left: str, right: str, opens: bool, closes: bool) -> tuple[bool, bool]:  # noqa: FBT001 - two plain verdicts
    """Whether stars between these two characters open or close emphasis; the standard's verdict comes in."""
    if _lacks_spaces(left) or _lacks_spaces(right):
        return bool(right) and not right.isspace(), bool(left) and not left.isspace()
    if left.isalnum() and right.isalnum():
        return False, closes and not (left.isdigit() or right.isdigit())
    return opens, closes


def _lacks_spaces(char: str) -> bool:
    """Whether the character is of a script that is written without spaces: Thai, Lao, Khmer, Chinese …"""
    return (
        "\u0e00" <= char <= "\u0eff"
        or "\u1000" <= char <= "\u109f"
        or "\u1780" <= char <= "\u17ff"
        or ("\u2e80" <= char <= "\ud7ff" or "\uf900" <= char <= "\ufaff" or "\uff00" <= char <= "\uffef")
    )


def _bare_url(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - a markdown-it rule
    if state.src[state.pos] != ":" or not state.src.startswith("://", state.pos):
        return False
    if not _SCHEME_END.search(state.src[max(0, state.pos - 32) : state.pos]):
        return False
    tail = _URL_TAIL.match(state.src, state.pos, state.posMax)
    if tail is None:
        return False
    end = _without_trailing(tail[0])
    if not silent:
        state.pending += end.replace("&amp;", "&")
    state.pos += len(end)
    return len(end) > 0


def _without_trailing(url: str) -> str:
    """The URL without punctuation that ends the sentence around it."""
    surplus = url.count(")") - url.count("(")
    while url and (url[-1] in _TRAILING or (url[-1] == ")" and surplus > 0)):
        surplus -= url[-1] == ")"
        url = url[:-1]
    return url
