"""Twilio's message log as evidence: which of its messages may be a part that is in doubt. Pure.

The log knows no id of ours, so a likeness is all there is: same person, same words, ours by direction, not older
than the attempt. Messages already known to be other parts are for the caller to leave out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from parley_common.events import PartAttempted

_TRIAL = "Sent from your Twilio trial account -"
"""What Twilio puts before the words of an account that has not paid yet."""

CLOCKS_DIFFER = timedelta(seconds=120)
"""By how much Twilio's clock may be behind the broker's."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A message in Twilio's log. ``created_at`` has whole seconds.

    ``sender`` is the number; with a Messaging Service it may be any of its pool, or not chosen yet.
    """

    sid: str
    status: str
    direction: str
    sender: str | None
    body: str
    created_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Log:
    """What the log says was sent to a person, newest first."""

    messages: tuple[Logged, ...]

    def reaches(self, since: datetime, most: int) -> bool:
        """Whether a listing of at most ``most`` messages goes back so far."""
        times = [message.created_at for message in self.messages if message.created_at is not None]
        return len(self.messages) < most or (bool(times) and min(times) < since - CLOCKS_DIFFER)


@dataclass(frozen=True, kw_only=True)
class NoLog:
    """The log can't be read; ``for_good`` where asking again would not help."""

    reason: str
    for_good: bool


def alike(attempt: PartAttempted, since: datetime, messages: Iterable[Logged]) -> list[Logged]:
    """The messages that may be this part, which was not sent before ``since``."""
    words = attempt.body.split()
    return [
        message
        for message in messages
        if message.direction.startswith("outbound")
        and message.body.removeprefix(_TRIAL).split() == words
        and (message.sender in (None, attempt.sender) or attempt.sender.startswith("MG"))
        and message.created_at is not None
        and message.created_at >= since - CLOCKS_DIFFER
    ]
