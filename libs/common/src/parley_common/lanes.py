"""The three lanes of a conversation: replies, operators' texts, notifications. Each has its own chain of sends.

Three, so that nobody waits for what nobody asked for: neither a reply nor an operator's text is ever behind a
notification that waits for the morning, be it to the same person.
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
OPERATORS = Lane(
    source=topology.operators_texts,
    chain=topology.operators_sends,
    every_source=topology.ALL_OPERATORS_TEXTS,
    durable=topology.EGRESS_OPERATORS,
)
NOTIFICATIONS = Lane(
    source=topology.notifications,
    chain=topology.notification_sends,
    every_source=topology.ALL_NOTIFICATIONS,
    durable=topology.EGRESS_NOTIFICATIONS,
)
LANES = (REPLIES, OPERATORS, NOTIFICATIONS)


def find_lane(subject: str) -> Lane | None:
    """The lane of a source subject, None for any other subject."""
    if not subject.startswith("conv."):
        return None
    conversation = topology.conversation_of(subject)
    return next((lane for lane in LANES if lane.source(conversation) == subject), None)


def lane_of(subject: str) -> Lane:
    """The lane of a source subject. Raises ``ValueError`` for any other."""
    lane = find_lane(subject)
    if lane is None:
        raise ValueError(f"{subject} is not what egress sends from: see parley_common.lanes")
    return lane
