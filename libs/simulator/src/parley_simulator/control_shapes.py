"""What the control routes take and give, shared by the routes and the client in `control`.

Plain typed values, JSON on the wire.
"""

from typing import Annotated

import msgspec

from parley_simulator.account import SharedKey
from parley_simulator.messages import Answer, Direction, Message
from parley_simulator.request_log import Complaint, Entry
from parley_simulator.statuses import Status


class Attachment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file a person attaches; `data` is base64 in JSON."""

    content_type: str
    data: bytes


class InboundText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """A text of a person; without `to` it goes to the first number of the account."""

    sender: str
    to: str = ""
    body: Annotated[str, msgspec.Meta(max_length=1600)] = ""
    media: Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=10)] = ()
    count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    """How many times it is texted; above one the body gets a number."""


class Accepted(msgspec.Struct, frozen=True):
    """The SIDs of what a person texted; `sid` is the first."""

    sid: str
    sids: tuple[str, ...]


class MediaView(msgspec.Struct, frozen=True):
    """One medium; `url` needs no credentials."""

    sid: str
    content_type: str
    url: str


class MessageView(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """A message as tests and the page see it."""

    sequence: int
    sid: str
    direction: Direction
    sender: str | None
    to: str
    body: str
    status: Status
    accepted_at: float
    updated_at: float
    arrived_at: float | None
    segments: int
    encoding: str
    num_media: int
    media: tuple[MediaView, ...]
    service_sid: str | None
    error_code: int | None
    error_message: str | None
    answer: Answer | None
    answer_code: int | None
    answer_note: str
    answer_attempts: int


class MessagePage(msgspec.Struct, frozen=True):
    """Messages in the order of acceptance; ask again with `since_sequence=last_sequence`."""

    messages: tuple[MessageView, ...]
    last_sequence: int
    more: bool


class PhoneView(msgspec.Struct, frozen=True):
    """A phone: its texts in the order in which they got there."""

    number: str
    texts: tuple[MessageView, ...]


class LogView(msgspec.Struct, frozen=True):
    """The newest exchanges and debugger entries, oldest first."""

    entries: tuple[Entry, ...]
    debugger: tuple[Complaint, ...]


class TokenChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sets a secondary token, promotes it, sets a shared key; in this order."""

    next: Annotated[str, msgspec.Meta(min_length=8)] | None = None
    promote: bool = False
    shared_key: SharedKey | msgspec.UnsetType | None = msgspec.UNSET


class TokenState(msgspec.Struct, frozen=True):
    """Which credentials there are, without any."""

    promoted: bool
    has_next: bool
    shared_key: str | None


class Redelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which message's webhook to post once more."""

    sid: str


class AccountView(msgspec.Struct, frozen=True):
    """The account the simulator plays, without its secrets."""

    account_sid: str
    numbers: tuple[str, ...]
    messaging_service_sid: str | None
    public_url: str


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that is being written."""

    body: Annotated[str, msgspec.Meta(max_length=20_000)]


class SegmentsView(msgspec.Struct, frozen=True):
    """How a text would be cut."""

    encoding: str
    segments: int
    used: int
    room: int
    """How many units the segments counted so far can hold."""


def view_message(message: Message) -> MessageView:
    """Return what tests and the page see of a message."""
    return MessageView(
        sequence=message.sequence,
        sid=message.sid,
        direction=message.direction,
        sender=message.sender,
        to=message.to,
        body=message.body,
        status=message.status,
        accepted_at=message.created_at,
        updated_at=message.updated_at,
        arrived_at=message.arrived_at,
        segments=message.segments.segments,
        encoding=message.segments.encoding,
        num_media=message.num_media,
        media=tuple(MediaView(m.sid, m.content_type, f"/_cdn/{m.sid}") for m in message.media),
        service_sid=message.service_sid,
        error_code=message.error_code,
        error_message=message.error_message,
        answer=message.answer,
        answer_code=message.answer_code,
        answer_note=message.answer_note,
        answer_attempts=message.answer_attempts,
    )
