"""``parley take`` and ``hand-back``: a person answers in place of the agent, by an event the agent obeys."""

from __future__ import annotations

import getpass
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from parley_cli import words
from parley_cli.words import Refused
from parley_common import topology
from parley_common.bus import Bus
from parley_common.domain.phone_numbers import AddressError, parse_address
from parley_common.domain.redaction import redact_number
from parley_common.events import Taken
from parley_common.identity import Identity
from parley_common.tail import Tail, fold
from parley_common.takeover import release, take

T = TypeVar("T")


class Person:
    """Whose conversation it is. Raises ``Refused`` where the contact is no address."""

    def __init__(self, hash_key: bytes, *, channel: str, contact: str) -> None:
        try:
            address = parse_address(contact)
        except AddressError as error:
            raise Refused(f"CONTACT: {error}") from None
        self.channel = channel
        self.conversation = Identity(hash_key).conversation(channel, str(address))
        self.shown = redact_number(str(address))


def login() -> str:
    """Who runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "an operator"


async def take_over(bus: Bus, person: Person, *, by: str, within: timedelta, now: datetime) -> str:
    """Takes a conversation; returns a sentence that says what holds now."""
    before = await _taken(bus, person, now)
    taken = await _done(take(bus, person.channel, person.conversation, by=by, within=within))
    until = words.at(taken.tally.taken.until) if taken.tally.taken is not None else ""
    return words.printable(
        f"{by} answers {person.shown} until {until}, the agent stays silent.{_before(before, by)} "
        "parley hand-back gives the conversation back to it."
    )


def _before(taken: Taken | None, by: str) -> str:
    """Whose the conversation was."""
    if taken is None or taken.by == by:
        return ""
    if not taken.by:
        return f" They had asked for a person on {words.at(taken.at)}."
    return f" It was taken by {taken.by} until {words.at(taken.until)}."


async def hand_back(bus: Bus, person: Person, *, now: datetime) -> str:
    """Gives a conversation back to the agent; returns a sentence that says what holds now."""
    before = await _taken(bus, person, now)
    if before is None:
        return words.printable(f"Nobody has taken {person.shown}: the agent answers there already.")
    await _done(release(bus, person.channel, person.conversation))
    who = f"{before.by} had taken it" if before.by else "they had asked for a person"
    return words.printable(f"The agent answers {person.shown} again ({who} on {words.at(before.at)}).")


async def _taken(bus: Bus, person: Person, now: datetime) -> Taken | None:
    """Who has taken the conversation, None where nobody has; raises ``Refused`` where there is no conversation."""
    if not await _exists(bus, person.conversation):
        raise Refused(
            f"{person.shown} has no conversation on channel {person.channel}: is the number right, and is "
            "PARLEY_HASH_KEY the one of the services?"
        )
    stored = await bus.last(topology.own(person.conversation))
    try:
        tail = Tail() if stored is None else fold(stored.event(), stored.seq)
    except (msgspec.DecodeError, ValueError):
        raise _unreadable() from None
    return tail.tally.taken if tail.tally.taken is not None and tail.tally.taken.until > now else None


async def _exists(bus: Bus, conversation: str) -> bool:
    """Whether anything was ever texted there. Under another hash key it would be a conversation of its own."""
    written = (topology.texts(conversation), topology.own(conversation), *topology.all_outbound(conversation))
    for subject in written:
        if await bus.last(subject) is not None:
            return True
    return False


async def _done(work: Coroutine[None, None, T]) -> T:
    try:
        return await work
    except (msgspec.DecodeError, ValueError):
        raise _unreadable() from None


def _unreadable() -> Refused:
    return Refused("the conversation cannot be read by this release: run the command of the release that wrote it")
