"""What a person sent, as a model reads it: the texts, pictures where it takes them, and words for all else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import structlog
from pydantic_ai.messages import BinaryContent, UserContent

from parley_brains.brain import Attachment, Turn

PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
MOST_PICTURES = 4
MOST_PICTURE_BYTES = 3_750_000
"""Of one picture: what is 5 MB in base64, the most that model makers take."""

MOST_BYTES = 8_000_000
"""Of all pictures of a turn."""

MOST_CHARACTERS = 12_000
"""Of all texts of a turn; of more, the end is told."""

_MIME = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Question:
    """``notes``: attachments in words."""

    text: str
    notes: tuple[str, ...]
    pictures: tuple[BinaryContent, ...] = ()

    def contents(self, *, with_pictures: bool) -> str | Sequence[UserContent]:
        """What goes to a model: plain words where there is no more, since some servers take no lists."""
        notes = list(self.notes)
        if not with_pictures:
            notes += [f"[a picture of type {one.media_type} that you cannot see]" for one in self.pictures]
        words = "\n".join([self.text, *notes] if self.text.strip() else notes) or "[an empty text]"
        return [words, *self.pictures] if with_pictures and self.pictures else words


async def read_question(turn: Turn, *, images: bool) -> Question:
    """The question of a turn. ``images``: whether pictures may be shown."""
    notes: list[str] = []
    pictures: list[BinaryContent] = []
    async for found in _attachments(turn, images=images):
        notes.append(found) if isinstance(found, str) else pictures.append(found)
    if turn.missing:
        notes.append(f"[{turn.missing} more attachments that could not be loaded]")
    return Question(text=turn.text[-MOST_CHARACTERS:], notes=tuple(notes), pictures=tuple(pictures))


async def _attachments(turn: Turn, *, images: bool) -> AsyncIterator[str | BinaryContent]:
    pictures = room = 0
    for attachment in turn.attachments:
        kind = attachment.content_type.partition(";")[0].strip().lower()
        if not images or kind not in PICTURES:
            yield f"[an attachment of type {kind if _MIME.fullmatch(kind) else 'unknown'}]"
            continue
        fits = attachment.size <= MOST_PICTURE_BYTES and room + attachment.size <= MOST_BYTES
        data = await _read(attachment) if fits and pictures < MOST_PICTURES else b""
        if not data or len(data) > MOST_PICTURE_BYTES:
            yield f"[a picture of type {kind} that you cannot see]"
            continue
        pictures, room = pictures + 1, room + len(data)
        yield BinaryContent(data=data, media_type=kind)


async def _read(attachment: Attachment) -> bytes:
    """The attachment; nothing where it cannot be read."""
    try:
        return await attachment.read()
    except Exception as error:
        log.warning("an attachment cannot be read", error=type(error).__name__)
        return b""
