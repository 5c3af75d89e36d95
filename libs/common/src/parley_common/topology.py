"""The streams, subjects and consumers of Parley: what exists in JetStream and what each is called.

Numbers stand in no subject, only keyed hashes. This module declares nothing; ``declare`` does.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from parley_common.events import Priority

CONVERSATIONS = "CONVERSATIONS"
REPORTS = "REPORTS"
CONSENT = "CONSENT"
DEAD_LETTERS = "DEAD_LETTERS"
CONTROL = "CONTROL"
COUNTERS = "COUNTERS"
LEASES = "LEASES"

MEDIA = "MEDIA"
"""The object bucket of what is attached to texts."""

MEDIA_STREAM = f"OBJ_{MEDIA}"
"""The stream under it, as NATS names it."""

AGENT_BELLS = "agent"
EGRESS_BELLS = "egress"
EGRESS_OPERATORS = "egress-operators"
EGRESS_NOTIFICATIONS = "egress-notifications"
STATUS_CONVERSATIONS = "status-conversations"
STATUS_REPORTS = "status-reports"
STATUS_CONSENT = "status-consent"
STATUS_DEAD_LETTERS = "status-dead-letters"

ALL_TEXTS = "conv.*.in"
ALL_TURNS = "conv.*.own.done"
ALL_OPERATORS_TEXTS = "conv.*.out"
ALL_NOTIFICATIONS = "conv.*.notify"
REPLAYED = "dead.replayed"
RESTORED = "control.restored"
HASH_KEY = "control.hash-key"

ACK_WAIT_S = 10.0
HEARTBEAT_S = 3.0

_DAY_S = 86_400.0
_COUNTED_DAYS = 40
_SWITCHES_KEPT = 20
"""Of each switch and mark: only the last counts, some before it tell an operator what happened."""
_GIB = 1024**3


def texts(conversation: str) -> str:
    """The texts a person sent, in the order of their arrival."""
    return f"conv.{conversation}.in"


def own(conversation: str) -> str:
    """The chain whose last event is the cursor of the agent."""
    return f"conv.{conversation}.own.*"


def turn_begun(conversation: str) -> str:
    """Where a turn's start is written."""
    return f"conv.{conversation}.own.begun"


def turn_done(conversation: str) -> str:
    """Where a turn's end is written; a doorbell for egress."""
    return f"conv.{conversation}.own.done"


def takeover(conversation: str) -> str:
    """Where it is written that a person takes the conversation, or hands it back."""
    return f"conv.{conversation}.own.ctl"


def sends(conversation: str) -> str:
    """The chain whose last event is the cursor of egress."""
    return f"conv.{conversation}.send"


def outbound(conversation: str, priority: Priority) -> str:
    """Where an ``OutboundMessage`` of that priority is written: only notifications may wait for hours."""
    return (notifications if priority is Priority.NOTIFICATION else operators_texts)(conversation)


def all_outbound(conversation: str) -> tuple[str, ...]:
    """Everywhere that an ``OutboundMessage`` of the conversation may be written."""
    return (operators_texts(conversation), notifications(conversation))


def operators_texts(conversation: str) -> str:
    """Where an operator's texts without a turn are written, and replies sent again; a doorbell for egress."""
    return f"conv.{conversation}.out"


def operators_sends(conversation: str) -> str:
    """The chain of sends of those, so that neither a reply nor they wait behind the other."""
    return f"conv.{conversation}.out.send"


def notifications(conversation: str) -> str:
    """Where notifications are written; a doorbell for egress."""
    return f"conv.{conversation}.notify"


def notification_sends(conversation: str) -> str:
    """The chain of sends of those, so that nothing else waits behind them."""
    return f"conv.{conversation}.notify.send"


def reports(conversation: str, part_id: str) -> str:
    """The status callbacks of one part. Whose they are stands in the subject: an id alone proves nothing."""
    return f"report.{conversation}.{part_id}"


def consent(key: str) -> str:
    """The consent of one person towards one sender."""
    return f"consent.{key}"


def dead_letter(service: str) -> str:
    """What a service could not process."""
    return f"dead.{service}"


def switch(channel: str) -> str:
    """Whether a channel's sending is paused; that of all channels together has no name."""
    return f"control.sending.{channel or '_all'}"


def log_read(sender: str) -> str:
    """How far Twilio's log was read for one of our numbers, by its keyed hash."""
    return f"control.backfill.{sender}"


def media_chunks(nuid: str) -> str:
    """Where the bytes of one stored object are, in pieces. ``nuid``: drawn anew each time it is stored."""
    return f"$O.{MEDIA}.C.{nuid}"


def media_record(name: str) -> str:
    """Where it is written what an object is and where its bytes are; only the last counts."""
    return f"$O.{MEDIA}.M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def spent(channel: str, day: str) -> str:
    """The segments that a channel has sent on a UTC day (``2026-11-21``)."""
    return f"count.segments.{channel}.{day}"


def media_kept(conversation: str, day: str) -> str:
    """The bytes of attachments that were kept of a conversation on a UTC day."""
    return f"count.media.{conversation}.{day}"


_STREAM_OF_PREFIX = {
    "conv": CONVERSATIONS,
    "report": REPORTS,
    "consent": CONSENT,
    "dead": DEAD_LETTERS,
    "control": CONTROL,
    "count": COUNTERS,
    "lease": LEASES,
}


def stream_of(subject: str) -> str:
    """The stream that keeps a subject, known by its first token."""
    return _STREAM_OF_PREFIX[subject.split(".", 1)[0]]


def conversation_of(subject: str) -> str:
    """The conversation in a subject ``conv.<conversation>.…``."""
    return subject.split(".", 2)[1]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an operator may set: how long streams keep events and how large they grow.

    ``media_max_age_s``: how long media are kept, None for as long as events are.
    """

    max_age_s: float = 30 * _DAY_S
    max_bytes: int = 4 * _GIB
    replicas: int = 1
    media_max_age_s: float | None = None
    media_max_bytes: int = 4 * _GIB

    @property
    def media_kept_s(self) -> float:
        """How long media are kept."""
        return self.max_age_s if self.media_max_age_s is None else self.media_max_age_s


def streams(limits: Limits) -> tuple[StreamConfig, ...]:
    """All streams. Full means refused (``discard: new``), never silently forgotten."""
    return (
        _kept(CONVERSATIONS, "conv.>", limits, duplicate_window_s=_DAY_S),
        _kept(REPORTS, "report.>", limits, duplicate_window_s=3600.0),
        _forever(CONSENT, "consent.*", limits),
        _forever(DEAD_LETTERS, "dead.*", limits, duplicate_window_s=_DAY_S),
        _forever(CONTROL, "control.>", limits, most_of_each=_SWITCHES_KEPT),
        _counters(limits),
        _media(limits),
        StreamConfig(
            name=LEASES,
            subjects=["lease.>"],
            storage=StorageType.MEMORY,
            num_replicas=limits.replicas,
            max_msgs_per_subject=1,
            max_bytes=256 * 1024**2,
            discard=DiscardPolicy.NEW,
            allow_msg_ttl=True,
        ),
    )


def _kept(name: str, subject: str, limits: Limits, *, duplicate_window_s: float) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=limits.max_age_s,
        max_bytes=limits.max_bytes,
        num_replicas=limits.replicas,
        duplicate_window=min(duplicate_window_s, limits.max_age_s),
        allow_direct=True,
    )


def _forever(
    name: str, subject: str, limits: Limits, *, duplicate_window_s: float = 120.0, most_of_each: int = -1
) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=limits.max_bytes,
        max_msgs_per_subject=most_of_each,
        num_replicas=limits.replicas,
        duplicate_window=duplicate_window_s,
        allow_direct=True,
    )


def _counters(limits: Limits) -> StreamConfig:
    """Counts over all replicas: the broker adds, each publish learns the new sum.

    One number a channel and day, and one a day for who sent a picture: some hundred bytes each, for 40 days. So it
    has no limit of bytes; the broker refuses ``discard: new`` here.
    """
    return StreamConfig(
        name=COUNTERS,
        subjects=["count.>"],
        storage=StorageType.FILE,
        num_replicas=limits.replicas,
        max_msgs_per_subject=1,
        max_age=_COUNTED_DAYS * _DAY_S,
        allow_direct=True,
        allow_msg_counter=True,
    )


def _media(limits: Limits) -> StreamConfig:
    """The bucket as every client of NATS makes one, so that their tools can look into it."""
    return StreamConfig(
        name=MEDIA_STREAM,
        subjects=[media_chunks(">"), f"$O.{MEDIA}.M.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=limits.media_kept_s,
        max_bytes=limits.media_max_bytes,
        num_replicas=limits.replicas,
        duplicate_window=min(120.0, limits.media_kept_s),
        allow_direct=True,
        allow_rollup_hdrs=True,
    )


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """A durable pull consumer and the stream it reads."""

    stream: str
    durable: str
    subject: str
    deliver: DeliverPolicy = DeliverPolicy.ALL
    ack_wait_s: float = ACK_WAIT_S

    def config(self) -> ConsumerConfig:
        """As JetStream wants it: no limit on what is un-acked, or one busy sender would stop all others."""
        return ConsumerConfig(
            name=self.durable,  # so that the filter stands in the subject of the request, where a broker can look
            durable_name=self.durable,
            filter_subject=self.subject,
            deliver_policy=self.deliver,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait_s,
            max_deliver=-1,
            max_ack_pending=-1,
        )


_BELL = DeliverPolicy.LAST_PER_SUBJECT

CONSUMERS: tuple[Consumer, ...] = (
    Consumer(stream=CONVERSATIONS, durable=AGENT_BELLS, subject=ALL_TEXTS, deliver=_BELL),
    Consumer(stream=CONVERSATIONS, durable=EGRESS_BELLS, subject=ALL_TURNS, deliver=_BELL),
    Consumer(stream=CONVERSATIONS, durable=EGRESS_OPERATORS, subject=ALL_OPERATORS_TEXTS, deliver=_BELL),
    Consumer(stream=CONVERSATIONS, durable=EGRESS_NOTIFICATIONS, subject=ALL_NOTIFICATIONS, deliver=_BELL),
    Consumer(stream=CONVERSATIONS, durable=STATUS_CONVERSATIONS, subject="conv.>", ack_wait_s=60.0),
    Consumer(stream=REPORTS, durable=STATUS_REPORTS, subject="report.>", ack_wait_s=60.0),
    Consumer(stream=CONSENT, durable=STATUS_CONSENT, subject="consent.*", ack_wait_s=60.0),
    Consumer(stream=DEAD_LETTERS, durable=STATUS_DEAD_LETTERS, subject="dead.*", ack_wait_s=60.0),
)
