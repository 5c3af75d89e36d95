"""Reads a conversation's texts from the stream: the range of a begun turn, or a burst that is still coming in."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from parley_agent.gathering import MOST_TEXTS, wait_s
from parley_agent.policy import silence
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel
from parley_common.events import InboundMessage, TurnBegun


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text and where it is stored."""

    stored: Stored
    message: InboundMessage

    @property
    def seq(self) -> int:
        """Its place in the conversation."""
        return self.stored.seq


class Unreadable(Exception):  # noqa: N818 - a state of the stream, not a fault of ours
    """What is stored is not a text this release can read."""


def read(stored: Stored) -> Text:
    """The text in a stored message; raises ``Unreadable``."""
    try:
        event = stored.event()
    except msgspec.DecodeError as error:
        raise Unreadable(type(error).__name__) from None
    if not isinstance(event, InboundMessage):
        raise Unreadable(type(event).__name__)
    return Text(stored=stored, message=event)


async def read_range(bus: Bus, begun: TurnBegun) -> tuple[Text, ...]:
    """The texts of a turn that was begun before."""
    subject = topology.texts(begun.conversation)
    found: list[Text] = []
    seq = begun.first
    while seq <= begun.last and (stored := await bus.next(subject, seq=seq)) and stored.seq <= begun.last:
        found.append(read(stored))
        seq = stored.seq + 1
    return tuple(found)


async def gather(bus: Bus, first: Text, channel: Channel, window_s: float) -> tuple[Text, ...]:
    """The burst that starts with ``first``: what follows within the window and is for the brain too.

    Without a window every text is answered by itself.
    """
    subject = topology.texts(first.message.conversation)
    burst = [first]
    started_s = time.monotonic()
    while window_s > 0.0 and len(burst) < MOST_TEXTS:
        following = await bus.next(subject, seq=burst[-1].seq + 1)
        if following is None:
            age_s = (datetime.now(UTC) - burst[-1].stored.time).total_seconds()
            left_s = wait_s(age_s=age_s, waited_s=time.monotonic() - started_s, window_s=window_s)
            if left_s == 0.0:
                break
            await asyncio.sleep(left_s)
        elif _joins(following, channel):
            burst.append(read(following))
        else:
            break
    return tuple(burst)


def _joins(stored: Stored, channel: Channel) -> bool:
    """A text that is no brain's business, or unreadable, gets a turn of its own."""
    try:
        return silence(read(stored).message, channel) is None
    except Unreadable:
        return False
