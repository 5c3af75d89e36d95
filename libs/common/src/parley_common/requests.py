"""What an operator's command asks of running services over the broker, and what they answer.

Requests and answers of NATS, JSON on the wire; one replica of the service answers. ``control-request.…`` is in no
stream: nothing of it is kept, and where nobody listens the asker is told at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

BACKFILL = "control-request.backfill"
"""Answered by ingress: a ``BackfillRequest`` with a ``BackfillAnswer``."""

REPLAY = "control-request.replay"
"""Answered by status, of the letters it wrote: a ``ReplayRequest`` with an ``Answer``."""

BACKFILL_PATIENCE_S = 900.0
"""How long to wait for the answer to a backfill: a page of Twilio's log takes about a second."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0)]

T = TypeVar("T", bound=msgspec.Struct)


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Bring in what people texted between ``since`` and ``until``; all channels where ``channel`` is empty."""

    since: Moment
    until: Moment
    channel: str = ""


class BackfillAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``found`` texts are in Twilio's log, of which ``brought_in`` were missing and ``known`` were here before.

    ``problems``: sentences about what could not be read or stored; empty where all of the period is in.
    """

    found: Count = 0
    brought_in: Count = 0
    known: Count = 0
    problems: tuple[str, ...] = ()


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Process again what a dead letter is about: the event at a sequence of a stream."""

    stream: str
    sequence: Annotated[int, msgspec.Meta(ge=1)]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it was done, and what to tell the operator."""

    ok: bool
    words: str


def encode(message: msgspec.Struct) -> bytes:
    """The request or answer as it travels."""
    return msgspec.json.encode(message)


def decode(data: bytes, kind: type[T]) -> T:
    """The request or answer in these bytes; raises ``msgspec.DecodeError``."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not UTF-8: {error.reason}") from None
