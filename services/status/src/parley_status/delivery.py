"""How far a text has come, by Twilio's status words: one table and what follows from it.

Callbacks come late, twice and in any order, so the state is a function of the set of words seen and of nothing
else. This module knows no event, no clock and no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

FINAL_RANK = 4

RANKS: Mapping[str, int] = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "canceled": FINAL_RANK,
    "failed": FINAL_RANK,
    "undelivered": FINAL_RANK,
    "delivered": FINAL_RANK,
    "read": 5,
}
"""Every word Twilio has for a text we sent. Of two words seen, the later in this table holds.

Among the final words ``delivered`` is the last: it is the only one that carries a receipt from the phone.
"""

_PRECEDENCE = {word: place for place, word in enumerate(RANKS)}

_PROVES: Mapping[str, str] = {"read": "delivered"}
"""WhatsApp leaves out ``delivered`` where the person read the text at once."""


class UnknownStatus(msgspec.Struct, frozen=True):
    """A word that is not in the table; it changes nothing."""

    status: str


class Delivery(msgspec.Struct, frozen=True):
    """The words seen of one text, and what they come to."""

    seen: frozenset[str] = frozenset()

    @property
    def status(self) -> str | None:
        """The word that holds, None before the first."""
        return max(self.seen, key=_PRECEDENCE.__getitem__, default=None)

    @property
    def conflict(self) -> tuple[str, ...]:
        """The final words that contradict one another; empty where at most one was seen."""
        finals = sorted(word for word in self.seen if RANKS[word] == FINAL_RANK)
        return tuple(finals) if len(finals) > 1 else ()


def advance(delivery: Delivery, status: str) -> Delivery | UnknownStatus:
    """The delivery after one more word. The same words lead to the same delivery in any order."""
    if status not in RANKS:
        return UnknownStatus(status)
    return Delivery(delivery.seen | {status, _PROVES.get(status, status)})


def settle(statuses: Iterable[str]) -> Delivery:
    """What all these words come to; those not in the table are passed over."""
    delivery = Delivery()
    for status in statuses:
        following = advance(delivery, status)
        if isinstance(following, Delivery):
            delivery = following
    return delivery
