"""What a brain said becomes the messages of an answer: nothing empty, nothing longer than a phone takes. Pure."""

from __future__ import annotations

from parley_agent.rulings import Draft
from parley_brains.brain import File, Said
from parley_common.domain.splitting import split_text
from parley_common.events import Media

MOST_MESSAGES = 10
_LOOKED_AT = 4
"""Times as many characters of a message are looked at as it may have: all that Markdown and cuts can take."""


def drafts(said: Said, *, most_characters: int) -> tuple[Draft, ...]:
    """The messages that say something, each of so many characters at most; a longer one ends in an ellipsis."""
    found = (
        Draft(_shortened(message.text, most_characters), tuple(map(_media, message.files)))
        for message in said.messages[:MOST_MESSAGES]
    )
    return tuple(draft for draft in found if draft.text or draft.media)


def _shortened(text: str, most_characters: int) -> str:
    parts = split_text(
        text[: _LOOKED_AT * most_characters], max_units=most_characters, numbered=False, max_parts=1
    )
    return parts[0] if parts else ""


def _media(file: File) -> Media:
    return Media(url=file.source, content_type=file.content_type)
