"""Who said STOP to whom. The latest cause wins; the record never expires.

Read from the stream's leader before each part is sent. This module knows the stream of consent, not what a
STOP looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import structlog

from parley_common import topology
from parley_common.bus import Bus, Stored, Superseded
from parley_common.events import ConsentCause, ConsentChanged
from parley_common.identity import Identity

_REMEMBERED = 20

log = structlog.get_logger(__name__)


class ConsentLedger:
    """Records and reads the consent of people towards senders."""

    def __init__(self, bus: Bus, identity: Identity) -> None:
        self._bus = bus
        self._identity = identity

    async def granted(self, scope: str, contact: str, *, also: Iterable[str] = (), confirming: str = "") -> bool:
        """Whether the contact may be texted by this number or Messaging Service.

        ``also``: further scopes under which they may have said so; what they said last, under whichever, holds.
        ``confirming``: the id of a refusal in words of their own that the text confirms. It alone does not count,
        as long as it is what they said last and they refuse under no other scope; Twilio knows nothing of it.
        """
        stored = [await self._bus.last(self._subject(one, contact)) for one in (scope, *also)]
        try:
            changes = [change for one in stored if (change := _change(one)) is not None]
        except Unreadable as error:
            log.error("what a person said of consent cannot be read, they are not texted", sequence=error.seq)
            return False
        if not changes:
            return True
        last = max(changes, key=lambda change: change.at)
        return last.granted or _is_confirmed(last, changes, confirming)

    async def record(self, change: ConsentChanged) -> None:
        """Records the change once, unless the contact has decided otherwise since its cause."""
        subject = self._subject(change.scope, change.contact)
        while True:
            stored = await self._bus.last(subject)
            known = _replaceable(stored)
            if known is not None:
                if not _supersedes(change, known):
                    return
                change = msgspec.structs.replace(change, earlier=(known.id, *known.earlier)[:_REMEMBERED])
            try:
                await self._bus.append(subject, change, after=stored.seq if stored else 0, chain=subject)
            except Superseded:
                continue
            return

    async def last(self, scope: str, contact: str) -> ConsentChanged | None:
        """What they said last under this scope; None where that is nothing, or nothing that can be read."""
        return _replaceable(await self._bus.last(self._subject(scope, contact)))

    def _subject(self, scope: str, contact: str) -> str:
        return topology.consent(self._identity.consent(scope, contact))


def _is_confirmed(last: ConsentChanged, changes: Sequence[ConsentChanged], confirming: str) -> bool:
    """Whether the last word is the refusal that a text confirms, and they refuse nowhere else.

    Who said STOP to another number of the pool is blocked there at Twilio, and was told so already.
    """
    others = [change for change in changes if change is not last]
    is_meant = bool(confirming) and last.id == confirming and last.cause is ConsentCause.OWN_WORDS
    return is_meant and all(change.granted for change in others)


def _supersedes(change: ConsentChanged, known: ConsentChanged) -> bool:
    """A repeat of a known cause changes nothing, nor does one that is older."""
    return change.at > known.at and change.id not in (known.id, *known.earlier)


class Unreadable(Exception):  # noqa: N818 - a state of the stream, not a fault of ours
    """What is stored is no consent that this release can read; ``seq`` says where."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"no readable consent at {seq}")
        self.seq = seq


def _replaceable(stored: Stored | None) -> ConsentChanged | None:
    """The change that a new one is compared with; one that cannot be read gives way to any."""
    try:
        return _change(stored)
    except Unreadable:
        return None


def _change(stored: Stored | None) -> ConsentChanged | None:
    if stored is None:
        return None
    try:
        event = stored.event()
    except msgspec.DecodeError:
        raise Unreadable(stored.seq) from None
    if not isinstance(event, ConsentChanged):
        raise Unreadable(stored.seq)
    return event
