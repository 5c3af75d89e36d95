"""A message as the simulator keeps it, in either direction.

Only data: `store` keeps messages, `lifecycle` and `inbound` change them.
"""

import secrets
import time
from enum import StrEnum

import msgspec

from parley_common.domain.segments import Segments
from parley_simulator.statuses import Status


class Direction(StrEnum):
    """Twilio's names for who started a message."""

    INBOUND = "inbound"
    API = "outbound-api"
    REPLY = "outbound-reply"


class Answer(StrEnum):
    """How the webhook of an inbound text went."""

    PENDING = "pending"
    RETRYING = "retrying"
    ANSWERED = "answered"
    FAILED = "failed"


class Media(msgspec.Struct, frozen=True, gc=False):
    """One picture or file of a message; its bytes lie on the media shelf."""

    sid: str
    content_type: str
    created_at: float


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What scripted faults decided about the walk of one message when it was created."""

    error_code: int | None = None
    never_final: bool = False
    reorder_callbacks: bool = False
    ignores_stop: bool = False


class Message(msgspec.Struct, kw_only=True, gc=False):
    """One message. `sequence` is its place in the order of acceptance, 0 until the store has it."""

    sid: str
    direction: Direction
    sender: str | None
    to: str
    body: str
    segments: Segments
    status: Status
    created_at: float
    updated_at: float
    sequence: int = 0
    sent_at: float | None = None
    arrived_at: float | None = None
    service_sid: str | None = None
    media: tuple[Media, ...] = ()
    media_urls: tuple[str, ...] = ()
    status_callback: str = ""
    validity_s: float = 36_000.0
    error_code: int | None = None
    error_message: str | None = None
    plan: Plan = Plan()
    answer: Answer | None = None
    answer_code: int | None = None
    answer_note: str = ""
    answer_attempts: int = 0

    @property
    def is_inbound(self) -> bool:
        """Whether a person sent it."""
        return self.direction is Direction.INBOUND

    @property
    def person(self) -> str:
        """The phone that is not ours."""
        return (self.sender or "") if self.is_inbound else self.to

    @property
    def num_media(self) -> int:
        """How many media it has, fetched or still to fetch."""
        return len(self.media) or len(self.media_urls)


def new_sid(prefix: str) -> str:
    """Return a SID nobody has: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)


def message_sid(*, has_media: bool) -> str:
    """Return a new SID of a text (SM) or of one with media (MM)."""
    return new_sid("MM" if has_media else "SM")


def now() -> float:
    """Seconds since 1970, for dates of the API."""
    return time.time()
