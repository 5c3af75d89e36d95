"""The broker's rules for streams, in memory: dedupe by id, compare-and-set on a chain, reads by subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nats.js.api import PubAck
from nats.js.errors import APIError, NotFoundError

from parley_common import topology
from parley_common.bus import Stored
from parley_common.events import AnyEvent

EXPECTED = "Nats-Expected-Last-Subject-Sequence"


def wrong_last_sequence() -> APIError:
    """What the broker says where the chain has another end."""
    return APIError(code=400, err_code=10071, description="wrong last sequence")


@dataclass
class Streams:
    """All streams. ``on_stored`` sees each message right after it was stored."""

    now: Callable[[], datetime]
    on_stored: Callable[[Stored], None] = lambda _: None
    stored: dict[str, list[Stored]] = field(default_factory=dict)
    _ids: dict[tuple[str, str], int] = field(default_factory=dict)

    def publish(self, subject: str, data: bytes, headers: Mapping[str, str]) -> PubAck:
        """Stores a message. Raises ``APIError`` where it expects another end of its chain."""
        stream = topology.stream_of(subject)
        messages = self.stored.setdefault(stream, [])
        message_id = headers.get("Nats-Msg-Id")
        if message_id is not None and (stream, message_id) in self._ids:
            return PubAck(stream=stream, seq=self._ids[stream, message_id], duplicate=True)
        if EXPECTED in headers:
            chain = headers.get(f"{EXPECTED}-Subject", subject)
            ends = [message.seq for message in messages if _matches(chain, message.subject)]
            if int(headers[EXPECTED]) != (ends[-1] if ends else 0):
                raise wrong_last_sequence()
        message = Stored(seq=len(messages) + 1, subject=subject, headers=dict(headers), data=data, time=self.now())
        messages.append(message)
        if message_id is not None:
            self._ids[stream, message_id] = message.seq
        self.on_stored(message)
        return PubAck(stream=stream, seq=message.seq)

    def get(self, stream: str, subject: str, *, seq: int | None, following: bool, hidden: int = 0) -> Stored:
        """The last message on the subject, or the first from ``seq`` on; the newest ``hidden`` are not seen."""
        messages = self.stored.get(stream, [])
        messages = messages[: len(messages) - hidden]
        found = [message for message in messages if _matches(subject, message.subject)]
        if following:
            found = [message for message in found if message.seq >= (seq or 0)][:1]
        if not found:
            raise NotFoundError(code=404, err_code=10037, description="no message found")
        return found[-1]

    def on(self, subject: str) -> list[Stored]:
        """All messages on a subject."""
        return [one for one in self.stored.get(topology.stream_of(subject), []) if _matches(subject, one.subject)]

    def events(self, subject: str) -> list[tuple[int, AnyEvent]]:
        """All events on a subject with their sequences."""
        return [(message.seq, message.event()) for message in self.on(subject)]


def _matches(pattern: str, subject: str) -> bool:
    if "*" not in pattern:
        return pattern == subject
    wanted, given = pattern.split("."), subject.split(".")
    return len(wanted) == len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=True))
