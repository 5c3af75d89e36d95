"""What the stream says of each conversation: its texts, the turns that took them, and what was sent."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from parley_common import events, topology
from parley_common.broker import Broker
from parley_common.bus import Bus

MARK = re.compile(r"\bt(\d+)\b")
_NEXT_WITHIN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class StoredText:
    """A text in the stream: where and when, Twilio's SID and our mark."""

    seq: int
    at: datetime
    sid: str
    mark: int


@dataclass(frozen=True, kw_only=True)
class StoredTurn:
    """The end of a turn and where it is stored."""

    seq: int
    event: events.TurnDone

    def has(self, text: StoredText) -> bool:
        """Whether the text is among those the turn is about."""
        return self.event.first <= text.seq <= self.event.upto


@dataclass(frozen=True, kw_only=True)
class StoredSend:
    """An event of the chain of sends and when it was stored."""

    seq: int
    at: datetime
    event: events.SendEvent


@dataclass
class Story:
    """One conversation, each list in the order of the stream."""

    contact: str = ""
    texts: list[StoredText] = field(default_factory=list)
    turns: list[StoredTurn] = field(default_factory=list)
    sends: list[StoredSend] = field(default_factory=list)

    def take(self, event: events.AnyEvent, seq: int, at: datetime) -> None:
        """Adds the event stored at this sequence and time."""
        match event:
            case events.InboundMessage():
                self.contact = event.contact
                self.texts.append(StoredText(seq=seq, at=at, sid=event.id, mark=marks_in(event.body)[0]))
            case events.TurnDone():
                self.turns.append(StoredTurn(seq=seq, event=event))
            case events.PartAttempted() | events.PartSent() | events.PartFailed():
                self.sends.append(StoredSend(seq=seq, at=at, event=event))


def marks_in(body: str) -> list[int]:
    """The marks in a text, in the order in which they stand there."""
    return [int(mark) for mark in MARK.findall(body)]


async def read_stories(nats_url: str) -> list[Story]:
    """All conversations, from the stream's first event to the one that is last now."""
    bus = Bus(Broker(nats_url), name="chaos")
    await bus.connect()
    try:
        stories: dict[str, Story] = defaultdict(Story)
        last = (await bus.js.stream_info(topology.CONVERSATIONS)).state.last_seq
        subscription = await bus.js.subscribe("conv.>", ordered_consumer=True)
        seq = 0
        while seq < last:
            message = await subscription.next_msg(timeout=_NEXT_WITHIN_S)
            seq = message.metadata.sequence.stream
            event = events.decode(message.data)
            stories[event.conversation].take(event, seq, message.metadata.timestamp)
        return list(stories.values())
    finally:
        await bus.close()


async def bells_are_quiet(bus: Bus) -> bool:
    """Whether no doorbell waits or is held: all that is in the stream was looked at to its end."""
    for durable in (topology.AGENT_BELLS, topology.EGRESS_BELLS):
        info = await bus.js.consumer_info(topology.CONVERSATIONS, durable)
        if info.num_pending or info.num_ack_pending:
            return False
    return True
