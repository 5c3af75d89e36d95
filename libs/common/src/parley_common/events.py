"""Every event of Parley, in the order a message meets them. One definition, here and nowhere else.

Events are frozen structs, JSON on the wire. A field is never renamed or reused, and a new field has a
default, because two releases run side by side during an upgrade. Times are aware UTC datetimes, sequences
are JetStream stream sequences, addresses are written as Twilio writes them (``+15551234567``,
``whatsapp:+15551234567``). This module knows no subject, no stream and no broker.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone; one without is no event."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all events share.

    ``id`` names this one write: a repeated publish carries the same id, a second attempt at the same work
    another. ``at`` is when the cause happened, by the clock of the service that writes.
    """

    id: str
    at: Moment
    channel: str
    conversation: str


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment: where it can be fetched, and its MIME type as told by the sender.

    The url of a file that Parley itself hosts is ``parley:<name>``, its name in the bucket of media.
    """

    url: str
    content_type: str


class Keyword(StrEnum):
    """Words carriers act on. Twilio answers them itself; a bot stays silent."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


class ConsentCause(StrEnum):
    """How a change of consent was learned."""

    KEYWORD = "keyword"
    OPT_OUT_TYPE = "opt_out_type"
    TWILIO_21610 = "21610"
    OWN_WORDS = "own_words"


class ConsentChanged(Event, frozen=True, kw_only=True):
    """A contact said STOP or START to one sender, in its keyword or in words of their own, or Twilio told us so.

    ``scope`` is what Twilio blocks: the number, or the whole Messaging Service. The latest ``at`` wins.
    ``earlier`` holds the ids of the changes before this one, newest first: a late repeat changes nothing.
    """

    scope: str
    contact: str
    granted: bool
    cause: ConsentCause
    earlier: tuple[str, ...] = ()


class InboundMessage(Event, frozen=True, kw_only=True):
    """A text from a person. ``id`` is the MessageSid, so a redelivered webhook is the same event.

    ``contact`` is the person's address, ``recipient`` the number of ours that was texted. ``backfilled``: found in
    Twilio's log instead of brought by a webhook; ``at`` is then when Twilio received it. ``answered_by_twilio``:
    its Advanced Opt-Out took the text for a keyword and has answered it.
    """

    account_sid: str
    contact: str
    recipient: str
    messaging_service_sid: str | None = None
    body: str = ""
    media: tuple[Media, ...] = ()
    keyword: Keyword | None = None
    segments: int = 1
    profile_name: str | None = None
    backfilled: bool = False
    answered_by_twilio: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A person answers in place of the brain, until they hand back or ``until`` has come.

    ``by``: who took the conversation, in the operator's words; empty where the contact or the brain asked for a
    person and nobody has come yet.
    """

    at: Moment
    until: Moment
    by: str = ""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation has cost and had so far. It rides in the cursor, so that no count is read elsewhere.

    ``day``: the UTC day (``2026-11-21``) that ``answers`` and ``tokens`` count. ``level`` is the loop guard's
    bucket in messages as of ``level_at``. ``apologised_at``: when the last apology for a late answer was written,
    ``offline_at``: when the person was last told that nobody answers now. ``capped_on``: the last UTC day on which
    they were told of the day's cap. ``greeted``: the brain has answered this person.

    ``memory``: what the brain wants to know again at the next turn. ``past``: the sequences of the last turns that
    were answered, the newest last. ``taken``: a person answers here.
    """

    day: str = ""
    answers: int = 0
    tokens: int = 0
    level: float = 0.0
    level_at: Moment | None = None
    apologised_at: Moment | None = None
    offline_at: Moment | None = None
    capped_on: str = ""
    greeted: bool = False
    memory: dict[str, str] = {}
    past: tuple[int, ...] = ()
    taken: Taken | None = None


class TurnBegun(Event, frozen=True, kw_only=True):
    """A brain that costs or acts starts on the texts ``first``..``last``; ``upto`` is unchanged.

    Fixes the range, counts the attempts and gives tools one idempotency key.
    """

    upto: int
    first: int
    last: int
    attempt: int
    worker: str
    tally: Tally = Tally()


class TurnOutcome(StrEnum):
    """Why a turn ended as it did."""

    ANSWERED = "answered"
    FAILED = "failed"
    ECHO = "echo"
    KEYWORD = "keyword"
    NOT_ALLOWED = "not_allowed"
    UNREADABLE = "unreadable"
    LATE = "late"
    CAPPED = "capped"
    LOOP = "loop"
    REFUSED = "refused"
    OFFLINE = "offline"
    NOT_STARTED = "not_started"
    HANDED_OVER = "handed_over"
    HANDED_BACK = "handed_back"
    TAKEN = "taken"
    OPTED_OUT = "opted_out"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One message of an answer, as the brain wrote it: Markdown, not yet rendered for a phone."""

    id: str
    text: str
    media: tuple[Media, ...] = ()


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn cost at a model, over all requests of it."""

    model: str
    input_tokens: int
    output_tokens: int


class TurnDone(Event, frozen=True, kw_only=True):
    """The end of a turn **and** the cursor: every text up to sequence ``upto`` is dealt with.

    ``sender`` is the number or Messaging Service SID that answers, ``contact`` the person. Replies that are
    not with Twilio by ``expires_at`` are not sent any more. ``confirms``: the id of a ``ConsentChanged`` that the
    messages confirm; they are sent in spite of that change, and of no other.
    """

    upto: int
    first: int
    outcome: TurnOutcome
    sender: str
    contact: str
    expires_at: Moment
    messages: tuple[Reply, ...] = ()
    tally: Tally = Tally()
    confirms: str = ""
    usage: Usage | None = None


class ConversationTaken(Event, frozen=True, kw_only=True):
    """A person answers from now on; a turn that was begun will be refused. ``tally.taken`` says who and how long.

    Part of the cursor's chain: ``upto`` and ``tally`` are carried on. ``lettered``: the turn before, where that is
    a dead letter whose writing may be outstanding.
    """

    upto: int
    tally: Tally
    lettered: TurnDone | None = None


class ConversationReleased(Event, frozen=True, kw_only=True):
    """The brain answers again what comes from now on. Carried on as in ``ConversationTaken``."""

    upto: int
    tally: Tally
    lettered: TurnDone | None = None


class Priority(StrEnum):
    """Who goes first where several wait for one sender's rate."""

    REPLY = "reply"
    OPERATOR = "operator"
    NOTIFICATION = "notification"


class OutboundMessage(Event, frozen=True, kw_only=True):
    """What is texted without a turn: by the API, by a person, by a command.

    Not sent after ``expires_at``, nor before ``not_before``. Messages of one conversation go in the order in which
    they are stored.
    """

    sender: str
    contact: str
    expires_at: Moment
    messages: tuple[Reply, ...]
    priority: Priority = Priority.NOTIFICATION
    not_before: Moment | None = None


class Slot(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Where a part stands in its conversation: the sequence of the turn (or ``OutboundMessage``), the message in
    it, the part of that.

    Slots are ordered as the person shall read them.
    """

    turn: int
    message: int
    part: int


class PartEvent(Event, frozen=True, kw_only=True):
    """What the events of one part share. ``part_id`` travels in the StatusCallback URL."""

    part_id: str
    message_id: str
    slot: Slot
    of: int


class PartAttempted(PartEvent, frozen=True, kw_only=True):
    """Written before the POST to Twilio: until an outcome follows, the part is in doubt.

    ``rest`` holds the bodies of the parts after this one, so that another release splits nothing anew.
    ``doubts`` counts the attempts before this one of which nobody knows what became.
    """

    sender: str
    contact: str
    body: str
    attempt: int
    worker: str
    media: tuple[Media, ...] = ()
    rest: tuple[str, ...] = ()
    doubts: int = 0


class Evidence(StrEnum):
    """How we know that Twilio has the part."""

    RESPONSE = "response"
    CALLBACK = "callback"
    LIST = "list"


class PartSent(PartEvent, frozen=True, kw_only=True):
    """Twilio has the part under ``sid``. ``attempted`` is the sequence of the attempt it ends."""

    attempted: int
    sid: str
    segments: int
    evidence: Evidence
    twilio_status: str | None = None


class FailureClass(StrEnum):
    """The closed set of ways in which a send can fail; it says what follows."""

    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    OPTED_OUT = "opted_out"
    RECIPIENT = "recipient"
    CONTENT = "content"
    CONFIGURATION = "configuration"
    ACCOUNT = "account"
    QUOTA = "quota"
    FRAUD_BLOCK = "fraud_block"
    LOOP_GUARD = "loop_guard"
    SCHEDULE = "schedule"
    TRANSIENT_DELIVERY = "transient_delivery"
    EXPIRED = "expired"
    NOT_ALLOWED = "not_allowed"
    SPEND_CAP = "spend_cap"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"


class PartFailed(PartEvent, frozen=True, kw_only=True):
    """The part is not with Twilio, or, ``UNDECIDED``, nobody can tell. ``final``: its message is over.

    ``code`` is Twilio's error code, ``reason`` words for the operator. ``attempted`` is the sequence of the
    attempt it ends, 0 where none was made (expired, opted out).
    """

    attempted: int
    failure: FailureClass
    final: bool
    reason: str
    code: int | None = None


class DeliveryReport(Event, frozen=True, kw_only=True):
    """One status callback of Twilio. ``conversation`` is the recipient's, found from ``To``.

    ``part_id`` is the id our StatusCallback URL carried, None where the callback had none.
    """

    account_sid: str
    sid: str
    status: str
    part_id: str | None = None
    error_code: int | None = None
    carrier_done_at: str | None = None


def report_id(sid: str, status: str, error_code: int | None) -> str:
    """The id of a report: who learns the same of a message, by callback or by asking, writes the same event."""
    return f"{sid}-{status}-{error_code or 0}"


class DeadLetter(Event, frozen=True, kw_only=True):
    """Something that could not be processed, with all that is needed to try again."""

    stream: str
    sequence: int
    subject: str
    reason: str
    service: str


class LetterReplayed(Event, frozen=True, kw_only=True):
    """An operator had a dead letter processed again; it is no longer among the open ones."""

    letter: str


class SendingSwitched(Event, frozen=True, kw_only=True):
    """Sending was paused or resumed, everywhere where ``channel`` is empty. ``reason``: the operator's words."""

    paused: bool
    reason: str


class Restored(Event, frozen=True, kw_only=True):
    """The streams were restored from a backup of ``taken_at``; what happened until ``at`` is unknown to them."""

    taken_at: Moment


class LogRead(Event, frozen=True, kw_only=True):
    """Twilio's log of texts to one of our numbers was read up to ``upto``: all until then are in the stream."""

    upto: Moment


class HashKeyKept(Event, frozen=True, kw_only=True):
    """Under which hash key everything is filed: ``Identity.fingerprint`` of it, which does not tell the key."""

    fingerprint: str


OwnEvent = TurnBegun | TurnDone | ConversationTaken | ConversationReleased
ControlEvent = SendingSwitched | Restored | LogRead | HashKeyKept
Outgoing = TurnDone | OutboundMessage
SendEvent = PartAttempted | PartSent | PartFailed
AnyEvent = (
    ConsentChanged
    | InboundMessage
    | OwnEvent
    | OutboundMessage
    | SendEvent
    | DeliveryReport
    | DeadLetter
    | LetterReplayed
    | ControlEvent
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: Event) -> bytes:
    """The event's bytes on the wire."""
    return _encoder.encode(event)


def decode(data: bytes) -> AnyEvent:
    """The event in these bytes; raises ``msgspec.DecodeError`` where there is none."""
    try:
        return _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not UTF-8: {error.reason}") from None
