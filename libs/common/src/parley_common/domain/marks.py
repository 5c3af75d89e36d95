"""How emphasis is shown: one parser and one walk serve every kind of channel, and this is what they differ in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Style(Enum):
    """What a stretch of text can be. ``URL``: what no mark may touch."""

    BOLD = auto()
    ITALIC = auto()
    STRUCK = auto()
    CODE = auto()
    URL = auto()


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What is written where a style begins and ends, nothing for those that are not shown.

    ``fence``: before and after a block of code. ``laid_out``: what becomes of a paragraph once its marks are in,
    ``bare``: a text without them.
    """

    opening: Mapping[Style, str]
    closing: Mapping[Style, str]
    fence: tuple[str, str] = ("", "")
    laid_out: Callable[[str], str] = field(default=_as_it_is)
    bare: Callable[[str], str] = field(default=_as_it_is)

    def around(self, style: Style, text: str) -> str:
        """The text in that style."""
        return f"{self.opening.get(style, '')}{text}{self.closing.get(style, '')}"


PLAIN = Marks(opening={Style.STRUCK: "~"}, closing={Style.STRUCK: "~"})
"""For a phone that shows text and nothing else. Struck text keeps one tilde at each end: without it, a price that
no longer holds would read like one that does."""
