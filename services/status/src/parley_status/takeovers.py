"""Who answers a conversation in place of the brain: the row, and how events change it, in any order. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parley_common.events import ConversationReleased, ConversationTaken, TurnDone, TurnOutcome

Handing = ConversationTaken | ConversationReleased | TurnDone


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """The last that was said of it, at ``sequence``. ``until`` is None where the brain has it again.

    ``taken_by`` is empty where somebody is asked for and nobody has come.
    """

    conversation: str
    sequence: int
    taken_by: str
    until: datetime | None


def hands(event: Handing) -> bool:
    """Whether the event says who answers. The end of a turn does where a person has it, or has just had it."""
    if not isinstance(event, TurnDone):
        return True
    return event.tally.taken is not None or event.outcome is TurnOutcome.HANDED_BACK


def fold_takeover(known: Takeover | None, sequence: int, event: Handing) -> Takeover:
    """The row after an event that ``hands``. The later in the stream counts."""
    if known is not None and known.sequence >= sequence:
        return known
    taken = event.tally.taken
    return Takeover(
        conversation=event.conversation,
        sequence=sequence,
        taken_by=taken.by if taken else "",
        until=taken.until if taken else None,
    )
