"""The streams, subjects and consumers of Parley: what exists in JetStream and what each is called.

Numbers stand in no subject, only keyed hashes. This module declares nothing; ``declare`` does.
"""

from __future__ import annotations

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

CONVERSATIONS = "CONVERSATIONS"
REPORTS = "REPORTS"
CONSENT = "CONSENT"
DEAD_LETTERS = "DEAD_LETTERS"
LEASES = "LEASES"

AGENT_BELLS = "agent"
EGRESS_BELLS = "egress"
STATUS_CONVERSATIONS = "status-conversations"
STATUS_REPORTS = "status-reports"
STATUS_CONSENT = "status-consent"
STATUS_DEAD_LETTERS = "status-dead-letters"

ALL_TEXTS = "conv.*.in"
ALL_TURNS = "conv.*.own.done"

ACK_WAIT_S = 10.0
HEARTBEAT_S = 3.0

_DAY_S = 86_400.0
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


def sends(conversation: str) -> str:
    """The chain whose last event is the cursor of egress."""
    return f"conv.{conversation}.send"


def reports(conversation: str, part_id: str) -> str:
    """The status callbacks of one part. Whose they are stands in the subject: an id alone proves nothing."""
    return f"report.{conversation}.{part_id}"


def consent(key: str) -> str:
    """The consent of one person towards one sender."""
    return f"consent.{key}"


def dead_letter(service: str) -> str:
    """What a service could not process."""
    return f"dead.{service}"


_STREAM_OF_PREFIX = {
    "conv": CONVERSATIONS,
    "report": REPORTS,
    "consent": CONSENT,
    "dead": DEAD_LETTERS,
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
    """What an operator may set: how long streams keep events and how large they grow."""

    max_age_s: float = 30 * _DAY_S
    max_bytes: int = 4 * _GIB
    replicas: int = 1


def streams(limits: Limits) -> tuple[StreamConfig, ...]:
    """All streams. Full means refused (``discard: new``), never silently forgotten."""
    return (
        _kept(CONVERSATIONS, "conv.>", limits, duplicate_window_s=_DAY_S),
        _kept(REPORTS, "report.>", limits, duplicate_window_s=3600.0),
        _forever(CONSENT, "consent.*", limits),
        _forever(DEAD_LETTERS, "dead.*", limits, duplicate_window_s=_DAY_S),
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


def _forever(name: str, subject: str, limits: Limits, *, duplicate_window_s: float = 120.0) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=limits.max_bytes,
        num_replicas=limits.replicas,
        duplicate_window=duplicate_window_s,
        allow_direct=True,
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
    Consumer(stream=CONVERSATIONS, durable=STATUS_CONVERSATIONS, subject="conv.>", ack_wait_s=60.0),
    Consumer(stream=REPORTS, durable=STATUS_REPORTS, subject="report.>", ack_wait_s=60.0),
    Consumer(stream=CONSENT, durable=STATUS_CONSENT, subject="consent.*", ack_wait_s=60.0),
    Consumer(stream=DEAD_LETTERS, durable=STATUS_DEAD_LETTERS, subject="dead.*", ack_wait_s=60.0),
)
