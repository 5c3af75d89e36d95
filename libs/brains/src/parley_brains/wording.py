"""What an agent file has an agent say: the same to everybody, or one thing by SMS and another by WhatsApp."""

from __future__ import annotations

import mimetypes
from pathlib import Path

import msgspec

from parley_brains.brain import File, Kind, Message


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer with more than a text: other words for WhatsApp, and files of the agent's folder or https URLs."""

    text: str = ""
    whatsapp: str = ""
    media: tuple[str, ...] = ()

    def for_kind(self, kind: Kind) -> str:
        """The words for those who text so."""
        return self.whatsapp or self.text if kind is Kind.WHATSAPP else self.text


Words = str | Wording


def message(words: Words, kind: Kind, folder: Path) -> Message:
    """The message to somebody who texts so. ``folder``: where the agent's files are."""
    if isinstance(words, str):
        return Message(text=words)
    return Message(text=words.for_kind(kind), files=tuple(_file(source, folder) for source in words.media))


def _file(source: str, folder: Path) -> File:
    content_type = mimetypes.guess_type(source)[0] or "application/octet-stream"
    is_url = source.startswith("https://")
    return File(source=source if is_url else str(folder / source), content_type=content_type)
