"""Dead letters as the stream has them: each once, open until it was replayed after it was last written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from parley_cli.words import Refused
from parley_common.bus import Bus, Stored
from parley_common.events import AnyEvent, DeadLetter, LetterReplayed

_EVERY_LETTER = "dead.*"
_CLOCKS_DIFFER = timedelta(minutes=5)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter, and when it was replayed last."""

    letter: DeadLetter
    replayed_at: datetime | None = None

    @property
    def id(self) -> str:
        """The letter's name."""
        return self.letter.id

    @property
    def is_open(self) -> bool:
        """Whether its message waits to be processed. It waits again where it was buried after its replay."""
        return self.replayed_at is None or self.letter.at > self.replayed_at


async def read_letters(bus: Bus) -> list[Letter]:
    """All letters, oldest first, from the stream's leader. What is no letter is left out."""
    found: list[AnyEvent] = []
    seq = 1
    while (stored := await bus.next(_EVERY_LETTER, seq=seq)) is not None:
        seq = stored.seq + 1
        event = read_event(stored)
        if event is not None:
            found.append(event)
    return fold(found)


def fold(events: Iterable[AnyEvent]) -> list[Letter]:
    """The letters that these events tell of, in the order in which each was last written."""
    letters: dict[str, DeadLetter] = {}
    replayed: dict[str, datetime] = {}
    for event in events:
        if isinstance(event, DeadLetter):
            letters.pop(event.id, None)
            letters[event.id] = event
        elif isinstance(event, LetterReplayed):
            replayed[event.letter] = max(event.at, replayed.get(event.letter, event.at))
    return [Letter(letter=letter, replayed_at=replayed.get(name)) for name, letter in letters.items()]


def chosen(letters: Sequence[Letter], *, service: str | None, replayed_too: bool = False) -> list[Letter]:
    """The open letters, or all, of one service or of every one."""
    return [
        one
        for one in letters
        if (replayed_too or one.is_open) and (service is None or one.letter.service == service)
    ]


def named(letters: Sequence[Letter], name: str) -> Letter:
    """The letter whose id begins so; raises ``Refused`` where there is none, or more than one."""
    found = [one for one in letters if one.id.startswith(name)]
    exact = [one for one in found if one.id == name]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        raise Refused(f"{len(found)} dead letters begin with {name!r}: write more of the id")
    raise Refused(f"there is no dead letter {name!r}: parley dead-letters list --all shows those there are")


def read_event(stored: Stored) -> AnyEvent | None:
    """The event that is stored there, None where this release cannot read it."""
    try:
        return stored.event()
    except msgspec.DecodeError:
        return None


async def read_message(bus: Bus, letter: DeadLetter) -> Stored | None:
    """The message that a letter speaks of, None where it is gone.

    A stream that was restored from a backup may have given its sequence to a younger message: that is not it.
    """
    stored = await bus.next(letter.subject, seq=letter.sequence)
    if stored is None or stored.seq != letter.sequence or stored.time > letter.at + _CLOCKS_DIFFER:
        return None
    return stored
