"""The HTML tags that people and models put between Markdown, told apart from ``x <y> z``.

A tag counts where its name is one of HTML's and its attributes have values; everything else in angle brackets
is text (``<your name>``, ``if a <b and c> d``). Names that also serve as placeholders (``<title>``) count only
where they are closed. This module does not render.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from enum import Enum, auto

import msgspec

from parley_common.domain.marks import Style

_TAG = re.compile(r"<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<attributes>(?:\s.*?)?)/?>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""(?i)\b(href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>=`]+))""")
_VALUELESS = re.compile(r"(?i)(?:\s|open|disabled|checked|hidden|controls|async|defer|selected|required)*")
_INVISIBLE = re.compile(r"(?i)<!--|<!doctype\b|<\?xml\b")

_BREAKING = re.compile("blockquote|br|center|details|dd|div|dl|dt|h[1-6]|hr|p|pre|table|tbody|tfoot|thead|tr")
_BREAKING_IF_CLOSED = re.compile(
    "address|article|aside|fieldset|figcaption|figure|footer|form|header|legend|main|nav|option|section|select"
    "|summary|title"
)
_SILENT = re.compile(
    "abbr|b|bdi|bdo|big|body|cite|code|col|colgroup|del|dfn|em|font|html|i|iframe|ins|kbd|mark|noscript|q|ruby|r[pt]"
    "|s|samp|small|span|strike|strong|style|sub|sup|svg|tt|u|wbr"
)
_SILENT_IF_CLOSED = re.compile(
    "audio|button|caption|data|head|label|map|meter|object|output|picture|progress|script|template|textarea|time|var"
    "|video"
)


_STYLES = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6"), Style.BOLD),
    **dict.fromkeys(("i", "em", "cite", "dfn", "var"), Style.ITALIC),
    **dict.fromkeys(("s", "strike", "del"), Style.STRUCK),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), Style.CODE),
}


class TagKind(Enum):
    """What a tag means where only text can be shown."""

    TEXT = auto()
    NOTHING = auto()
    BREAK = auto()
    LIST = auto()
    ITEM = auto()
    CELL = auto()
    LINK_OPEN = auto()
    LINK_CLOSE = auto()
    IMAGE = auto()


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag's meaning; ``url`` and ``alt`` are those of links and images.

    ``closes``: it ends what another began. ``numbered``: its list's items have numbers. ``style``: what it makes
    of the text in it.
    """

    kind: TagKind
    url: str = ""
    alt: str = ""
    closes: bool = False
    numbered: bool = False
    style: Style | None = None


def closed_names(sources: Collection[str]) -> frozenset[str]:
    """The names that one of these tags closes."""
    return frozenset(tag["name"].lower() for tag in map(_TAG.fullmatch, sources) if tag and tag["close"])


def read_tag(source: str, closed: frozenset[str] = frozenset()) -> Tag:
    """What ``<…>`` is among tags that close the names in ``closed``; comments and declarations are nothing."""
    if _INVISIBLE.match(source):
        return Tag(kind=TagKind.NOTHING)
    tag = _TAG.fullmatch(source)
    if tag is None or not ("=" in tag["attributes"] or _VALUELESS.fullmatch(tag["attributes"])):
        return Tag(kind=TagKind.TEXT)
    attributes = _attributes(tag["attributes"])
    name, closes = tag["name"].lower(), bool(tag["close"])
    kind = _linked(name, closing=closes) or _plain(name, is_closed=name in closed)
    return Tag(
        kind=kind,
        url=attributes.get("href", attributes.get("src", "")),
        alt=attributes.get("alt", ""),
        closes=closes,
        numbered=name == "ol",
        style=_STYLES.get(name) if name in closed else None,
    )


def _linked(name: str, *, closing: bool) -> TagKind | None:
    """The tags that add more than a break."""
    if name == "a":
        return TagKind.LINK_CLOSE if closing else TagKind.LINK_OPEN
    if name == "li":
        return TagKind.BREAK if closing else TagKind.ITEM
    if name in {"ol", "ul"}:
        return TagKind.LIST
    if name in {"td", "th"}:
        return TagKind.CELL if closing else TagKind.NOTHING
    return TagKind.IMAGE if name == "img" else None


def _plain(name: str, *, is_closed: bool) -> TagKind:
    if _BREAKING.fullmatch(name) or (is_closed and _BREAKING_IF_CLOSED.fullmatch(name)):
        return TagKind.BREAK
    if _SILENT.fullmatch(name) or (is_closed and _SILENT_IF_CLOSED.fullmatch(name)):
        return TagKind.NOTHING
    return TagKind.TEXT


def _attributes(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(source):
        found.setdefault(name.lower(), html.unescape("".join(values)))
    return found
