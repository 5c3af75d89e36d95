"""The two lanes of a conversation: replies, and what is texted without a turn. Each has its own chain of sends.

Two, so that a person's reply never waits behind notifications, be they to the same person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parley_common import topology


@dataclass(frozen=True, kw_only=True)
class Lane:
    """``source``: the subject of what is to be sent, ``chain``: of its sends, both of one conversation.

    ``every_source``: the source of all conversations, ``durable``: the consumer whose bells speak of it.
    """

    source: Callable[[str], str]
    chain: Callable[[str], str]
    every_source: str
    durable: str


REPLIES = Lane(
    source=topology.turn_done,
    chain=topology.sends,
    every_source=topology.ALL_TURNS,
    durable=topology.EGRESS_BELLS,
)
NOTES = Lane(
    source=topology.notes,
    chain=topology.note_sends,
    every_source=topology.ALL_NOTES,
    durable=topology.EGRESS_NOTES,
)
LANES = (REPLIES, NOTES)


def lane_of(subject: str) -> Lane:
    """The lane of a source subject."""
    return next(lane for lane in LANES if lane.source(topology.conversation_of(subject)) == subject)
