"""The media of a turn, as asking needs them: what came with its texts, and what goes out with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from parley_agent.media.incoming import Carried, Incoming
from parley_agent.media.keeping import Keeping
from parley_agent.media.outgoing import WITHIN_S, Outgoing
from parley_brains.brain import Said
from parley_common import events
from parley_common.channels import Channels
from parley_common.events import InboundMessage
from parley_common.media_store import MediaStore

_HAS_MEDIA = b'"media":[{'


class MediaDesk:
    """Fetches and hosts media. ``folder``: that of the agent's file. ``within_s``: for what came with one turn."""

    def __init__(self, store: MediaStore, channels: Channels, *, folder: Path, within_s: float) -> None:
        self._within_s = within_s
        self._keeping = Keeping(store, channels, within_s=within_s)
        self._incoming = Incoming(store, self._keeping)
        self._outgoing = Outgoing(store, folder)

    def begin(self, body: bytes) -> None:
        """Has what came with a stored text kept, whoever answers it; not that of people who may not text us."""
        if _HAS_MEDIA not in body:
            return
        try:
            text = events.decode(body)
        except msgspec.DecodeError:
            return
        if isinstance(text, InboundMessage):
            self._keeping.begin(text)

    async def carried(self, messages: Sequence[InboundMessage], *, within_s: float | None = None) -> Carried:
        """What came with these texts, and how much of it could not be had in time: the shorter of both limits."""
        limit_s = self._within_s if within_s is None else min(within_s, self._within_s)
        return await self._incoming.carried(messages, within_s=limit_s)

    async def hosted(self, said: Said, conversation: str, *, within_s: float = WITHIN_S) -> Said:
        """The answer with its files where Twilio can fetch them; those that are not there in time are left out."""
        return await self._outgoing.hosted(said, conversation, within_s=within_s)

    async def close(self) -> None:
        """Ends what is open."""
        await self._keeping.close()


class NoMedia:
    """A desk at which nothing can be had: whatever came along is missing, and no file goes out."""

    async def carried(self, messages: Sequence[InboundMessage], *, within_s: float | None = None) -> Carried:
        """All of it is missing."""
        return Carried(missing=sum(len(message.media) for message in messages))

    async def hosted(self, said: Said, conversation: str, *, within_s: float = WITHIN_S) -> Said:
        """As it was said."""
        return said
