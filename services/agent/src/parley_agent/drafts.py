"""What a brain said becomes the messages of an answer, as they are stored. Pure."""

from __future__ import annotations

from parley_agent.rulings import Draft
from parley_brains.answering import sendable
from parley_brains.brain import File, Said
from parley_common.events import Media


def drafts(said: Said, *, most_characters: int) -> tuple[Draft, ...]:
    """The messages that say something, each of so many characters at most."""
    messages = sendable(said, most_characters=most_characters)
    return tuple(Draft(message.text, tuple(map(_media, message.files))) for message in messages)


def _media(file: File) -> Media:
    return Media(url=file.source, content_type=file.content_type)
