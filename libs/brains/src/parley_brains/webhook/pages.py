"""An element with something to choose from as messages: its words may be cut, its choices never are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parley_brains.answering import MOST_MESSAGES, shortened
from parley_brains.brain import Message
from parley_brains.webhook.choices import Choice
from parley_common.domain.segments import utf_16_units

GAP = "\n\n"
"""Between paragraphs."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: a link, or a choice with its number. ``gap``: what stands between it and the line before."""

    line: str
    gap: str = GAP
    choice: Choice | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """A message, and what may be chosen of those that stand on it."""

    message: Message
    choices: tuple[Choice, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether it is sent at all."""
        return bool(self.message.text.strip() or self.message.files)


def laid_out(words: str, rows: Sequence[Row], most_characters: int) -> list[Page]:
    """Words with lines below them. The words make room for the lines, down to half of a message.

    Lines that are too many for the rest go on in the next one.
    """
    if rows:
        room = most_characters - sum(utf_16_units(f"{row.gap}{row.line}") for row in rows)
        words = shortened(words, max(room, most_characters // 2))
    pages = [Page(message=Message(text=words))]
    for row in rows:
        line = shortened(row.line, most_characters)
        text = pages[-1].message.text
        longer = f"{text}{row.gap}{line}" if text else line
        choices = () if row.choice is None else (row.choice,)
        if utf_16_units(longer) > most_characters:
            pages.append(Page(message=Message(text=line), choices=choices))
        else:
            pages[-1] = Page(message=Message(text=longer), choices=pages[-1].choices + choices)
    return pages


def joined(first: Page, second: Page, most_characters: int) -> Page | None:
    """Two texts as one message, None where that is too long for both to be read."""
    text = f"{first.message.text}{GAP}{second.message.text}"
    if utf_16_units(text) > most_characters:
        return None
    return Page(message=Message(text=text), choices=first.choices + second.choices)


def sent(pages: Iterable[Page]) -> tuple[Sequence[Message], Sequence[Choice]]:
    """The messages that are sent, and the choices that people get to see."""
    found = [page for page in pages if page.says_something][:MOST_MESSAGES]
    return [page.message for page in found], [choice for page in found for choice in page.choices]
