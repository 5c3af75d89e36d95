"""What a brain is: given a turn, it says what to answer. It knows neither broker nor Twilio."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from parley_common.events import Usage
from parley_common.tail import MOST_PAST

T = TypeVar("T")


class Kind(StrEnum):
    """What a person texts with; it decides what an answer may look like."""

    SMS = "sms"
    WHATSAPP = "whatsapp"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """What came with a text: its MIME type, its size in bytes, and how to read it."""

    content_type: str
    size: int
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An earlier turn: what the person wrote, and what was answered."""

    text: str
    answers: tuple[str, ...]


class Past(Protocol):
    """Reads the turns before one, ``most`` of them at most, the newest last. Each costs reads: ask for few."""

    async def __call__(self, most: int = MOST_PAST, /) -> Sequence[Exchange]:
        """These turns."""


def newest(past: Sequence[T], most: int) -> Sequence[T]:
    """The last of what is kept with the newest last, ``most`` of it at most."""
    return past[max(len(past) - most, 0) :]


async def _no_past(_most: int = MOST_PAST) -> Sequence[Exchange]:
    return ()


def _counted_by_nobody(_usage: Usage) -> None:
    """Where nobody counts what a model takes."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a person wrote and nobody has answered yet.

    ``key`` is the same however often the turn is tried: an idempotency key for whatever the brain calls.
    ``conversation`` stands for the person wherever their number may not stand. ``is_first``: this person was never
    answered before. ``memory``: what the brain said to remember at the last turn. ``past`` reads the turns before
    this one, the newest last. ``missing``: how many attachments could not be had. ``within_s``: seconds that are
    left for the answer. ``spent`` is told what each request to a model took, as soon as that is known: an answer
    that is never given has cost the same.
    """

    key: str
    channel: str
    conversation: str
    contact: str
    recipient: str
    texts: tuple[str, ...]
    kind: Kind = Kind.SMS
    attachments: tuple[Attachment, ...] = ()
    missing: int = 0
    is_first: bool = False
    profile_name: str | None = None
    memory: Mapping[str, str] = field(default_factory=dict)
    past: Past = _no_past
    within_s: float = math.inf
    spent: Callable[[Usage], None] = _counted_by_nobody

    @property
    def text(self) -> str:
        """All of it, one text a line."""
        return "\n".join(text for text in self.texts if text)


@dataclass(frozen=True, kw_only=True)
class File:
    """What goes out with a message: an https URL, or the path of a file on this machine; and its MIME type."""

    source: str
    content_type: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of an answer: Markdown, files, or both."""

    text: str = ""
    files: tuple[File, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Said:
    """A brain's answer. ``memory``: what to know again at the next turn, None for what was known already.

    ``hand_over``: a person is to go on from here. ``usage``: what a model took for it, all of it.
    ``silent``: where there are no messages, that is meant, and nothing is said in their place.
    """

    messages: tuple[Message, ...] = ()
    memory: Mapping[str, str] | None = None
    hand_over: bool = False
    usage: Usage | None = None
    silent: bool = False


class BrainFailed(Exception):  # noqa: N818 - what a brain tells, not a fault of ours
    """The brain has no answer, for a reason that the operator can do something about.

    The reason names no person and no secret, and quotes nothing that a person wrote. ``timed_out``: all would
    have been well with more time.
    """

    def __init__(self, reason: str, *, usage: Usage | None = None, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.usage = usage
        self.timed_out = timed_out


class Brain(Protocol):
    """Answers turns. ``acts``: asking costs money or does something, so each attempt is recorded first."""

    acts: bool

    async def answer(self, turn: Turn) -> Said:
        """What to answer; no messages where there is nothing to say. Raises ``BrainFailed``."""

    async def close(self) -> None:
        """Ends its connections."""
