"""The turn as the bot gets it. Its JSON is ``docs/schemas/webhook-question.json``."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from parley_brains.brain import Attachment, Exchange, Kind, Turn
from parley_brains.webhook.choices import Choice, chosen, own_memory
from parley_brains.webhook.settings import Form, Webhook

VERSION = 1


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment: its MIME type, its size in bytes, and, where it fits, its bytes in base64."""

    content_type: str
    size: int
    data: str | None = None


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier turn: what the person wrote, and what was answered."""

    text: str
    answers: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What Parley asks the bot.

    ``turn`` is the same on every retry. ``conversation`` stands for the person where their number may not stand.
    ``contact`` and ``profile_name`` are null where the bot is not told who it is. ``is_first``: this person was
    never answered before. ``texts``: what they wrote, one or more. ``choice``: the button that they took by its
    number or title. ``missing_attachments``: how many could not be had. ``past``: the newest last.
    """

    version: int = VERSION
    type: str = "turn"
    turn: str
    channel: str
    kind: Kind
    conversation: str
    contact: str | None
    recipient: str
    profile_name: str | None
    is_first: bool
    texts: tuple[str, ...]
    choice: Choice | None
    attachments: tuple[Listed, ...]
    missing_attachments: int
    past: tuple[Earlier, ...]
    memory: dict[str, str]


class RasaQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The same for Rasa's REST channel."""

    sender: str
    message: str
    metadata: Question


async def ask(turn: Turn, settings: Webhook) -> Question:
    """The turn as a question, with as much of it as the settings say."""
    return Question(
        turn=turn.key,
        channel=turn.channel,
        kind=turn.kind,
        conversation=turn.conversation,
        contact=turn.contact if settings.tells_contact else None,
        recipient=turn.recipient,
        profile_name=turn.profile_name if settings.tells_contact else None,
        is_first=turn.is_first,
        texts=turn.texts,
        choice=chosen(turn.texts, turn.memory),
        attachments=await _listed(turn.attachments, settings.inline_bytes),
        missing_attachments=turn.missing,
        past=_earlier(await turn.past(settings.past)) if settings.past else (),
        memory=own_memory(turn.memory),
    )


def encode(question: Question, form: Form) -> bytes:
    """The question's body in this form."""
    if form is Form.PARLEY:
        return msgspec.json.encode(question)
    written = [text for text in question.texts if text.strip()]
    message = question.choice.payload if question.choice and len(written) == 1 else "\n".join(written)
    return msgspec.json.encode(RasaQuestion(sender=question.conversation, message=message, metadata=question))


def _earlier(past: Sequence[Exchange]) -> tuple[Earlier, ...]:
    return tuple(Earlier(text=exchange.text, answers=exchange.answers) for exchange in past)


async def _listed(attachments: Sequence[Attachment], room: int) -> tuple[Listed, ...]:
    """The attachments in their order, each with its bytes if these fit into what is left of the room."""
    found = []
    for attachment in attachments:
        data = await _read(attachment, room)
        room -= len(data or b"")
        encoded = None if data is None else base64.b64encode(data).decode()
        found.append(Listed(content_type=attachment.content_type, size=attachment.size, data=encoded))
    return tuple(found)


async def _read(attachment: Attachment, room: int) -> bytes | None:
    """The attachment's bytes, None where they do not fit or cannot be had: the words are answered all the same."""
    if attachment.size > room:
        return None
    try:
        data = await attachment.read()
    except Exception:  # of whatever holds attachments
        return None
    return data if len(data) <= room else None
