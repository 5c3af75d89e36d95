"""Reads a conversation's texts: the range of a begun turn, a burst still coming in, a row of old ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from parley_agent.gathering import MOST_TEXTS, wait_s
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.events import InboundMessage, TurnBegun

MOST_LOOKED_AT = 100
"""Texts behind a turn among which a refusal is looked for."""

Joins = Callable[[InboundMessage], bool]
"""Whether a text belongs into the turn of the one before."""


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
    """``stored`` is not a text this release can read."""

    def __init__(self, stored: Stored, reason: str) -> None:
        super().__init__(f"not a readable text: {reason}")
        self.stored = stored


def read(stored: Stored) -> Text:
    """The text in a stored message; raises ``Unreadable``."""
    try:
        event = stored.event()
    except msgspec.DecodeError as error:
        raise Unreadable(stored, type(error).__name__) from None
    if not isinstance(event, InboundMessage):
        raise Unreadable(stored, type(event).__name__)
    return Text(stored=stored, message=event)


async def read_range(bus: Bus, begun: TurnBegun) -> tuple[Text, ...]:
    """The texts of a turn that was begun before, up to the first that cannot be read.

    Raises ``Unreadable`` where that is the first of all.
    """
    found: list[Text] = []
    async for stored in stored_between(bus, begun.conversation, begun.first, begun.last):
        try:
            found.append(read(stored))
        except Unreadable:
            if not found:
                raise
            break
    return tuple(found)


async def stored_between(bus: Bus, conversation: str, first: int, last: int) -> AsyncIterator[Stored]:
    """What is stored as texts from one sequence to another, readable or not."""
    subject, seq = topology.texts(conversation), first
    while seq <= last and (stored := await bus.next(subject, seq=seq)) and stored.seq <= last:
        yield stored
        seq = stored.seq + 1


async def gather(bus: Bus, first: Text, joins: Joins, window_s: float) -> tuple[Text, ...]:
    """The burst that starts with ``first``: what follows within the window and joins it.

    Without a window every text is answered by itself.
    """
    burst = [first]
    started_s = time.monotonic()
    while window_s > 0.0 and len(burst) < MOST_TEXTS:
        following = await _following(bus, burst[-1])
        if following is None:
            age_s = (datetime.now(UTC) - burst[-1].stored.time).total_seconds()
            left_s = wait_s(age_s=age_s, waited_s=time.monotonic() - started_s, window_s=window_s)
            if left_s == 0.0:
                break
            await asyncio.sleep(left_s)
        elif (text := _joining(following, joins)) is not None:
            burst.append(text)
        else:
            break
    return tuple(burst)


class Later:
    """What was texted after a turn's first texts, each read once. None stands for what cannot be read."""

    def __init__(self, bus: Bus, last: Text) -> None:
        self._bus = bus
        self._subject = topology.texts(last.message.conversation)
        self._seq = last.seq
        self._found: list[tuple[int, Text | None]] = []

    async def read_on(self) -> None:
        """Reads what has come since, and nothing beyond the most that is looked at."""
        while len(self._found) < MOST_LOOKED_AT:
            stored = await self._bus.next(self._subject, seq=self._seq + 1)
            if stored is None:
                return
            self._seq = stored.seq
            self._found.append((stored.seq, readable(stored)))

    def after(self, seq: int) -> tuple[Text | None, ...]:
        """What was found after this sequence."""
        return tuple(text for place, text in self._found if place > seq)


def extended(texts: Sequence[Text], later: Sequence[Text | None], joins: Joins) -> tuple[Text, ...]:
    """The turn with what followed and joins it."""
    found = list(texts)
    for text in later:
        if len(found) >= MOST_TEXTS or text is None or not joins(text.message):
            break
        found.append(text)
    return tuple(found)


async def skim(bus: Bus, first: Text, joins: Joins) -> tuple[Text, ...]:
    """The first and the last text of a row of any length that nobody is going to read an answer to."""
    last = first
    while (following := await _following(bus, last)) is not None:
        text = _joining(following, joins)
        if text is None:
            break
        last = text
    return (first,) if last is first else (first, last)


async def _following(bus: Bus, text: Text) -> Stored | None:
    return await bus.next(topology.texts(text.message.conversation), seq=text.seq + 1)


def _joining(stored: Stored, joins: Joins) -> Text | None:
    """The text if it joins. One that cannot be read gets a turn of its own."""
    text = readable(stored)
    return text if text is not None and joins(text.message) else None


def readable(stored: Stored) -> Text | None:
    """The text in a stored message, None where there is none that this release can read."""
    try:
        return read(stored)
    except Unreadable:
        return None
