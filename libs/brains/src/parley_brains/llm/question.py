"""What a person sent, as a model reads it: the texts, pictures where it takes them, and words for all else."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

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

MOST_BYTES_AT_ONCE = 32_000_000
"""Of the pictures of all turns that are in work: a request has each of them about four times in memory."""

_UNSEEN = MOST_PICTURE_BYTES + 1
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


class Room:
    """Bytes that all turns share, handed out in the order in which they are asked for."""

    def __init__(self, most_bytes: int = MOST_BYTES_AT_ONCE) -> None:
        self._left = most_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Waits until there is room for so many bytes, which are ``give``n back afterwards."""
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append((size, granted))
        self._grant()
        try:
            await granted
        except asyncio.CancelledError:
            self.give(0 if granted.cancelled() else size)
            raise

    def give(self, size: int) -> None:
        """So many bytes are free again."""
        self._left += size
        self._grant()

    def _grant(self) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._left):
            size, granted = self._waiting.popleft()
            if not granted.done():
                self._left -= size
                granted.set_result(None)


@asynccontextmanager
async def question_of(turn: Turn, room: Room, *, images: bool, within_s: float) -> AsyncIterator[Question]:
    """The question of a turn, for as long as its pictures may be in memory: until the block ends.

    Where there is no room for them ``within_s``, the model is told of pictures that it cannot see.
    """
    size = _picture_bytes(turn) if images else 0
    if size:
        try:
            async with asyncio.timeout(within_s):
                await room.take(size)
        except TimeoutError:
            log.warning("no room for a turn's pictures, it is answered without", within_s=round(within_s, 1))
            size, turn = (
                0,
                replace(turn, attachments=tuple(replace(one, size=_UNSEEN) for one in turn.attachments)),
            )
    try:
        yield await read_question(turn, images=images)
    finally:
        room.give(size)


def _picture_bytes(turn: Turn) -> int:
    """The most that the pictures of a turn take up."""
    kinds = (attachment.content_type.partition(";")[0].strip().lower() for attachment in turn.attachments)
    sizes = [one.size for one, kind in zip(turn.attachments, kinds, strict=True) if kind in PICTURES]
    return min(sum(size for size in sizes if size <= MOST_PICTURE_BYTES), MOST_BYTES)


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
