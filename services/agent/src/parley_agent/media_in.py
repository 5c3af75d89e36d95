"""What came with a text: fetched once, kept in the bucket, read from there by the brain when it wants to.

What cannot be had is counted, and the text is answered all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import Counter

from parley_agent.media_fetching import Fetcher, NotHad
from parley_agent.media_types import true_type
from parley_brains.brain import Attachment
from parley_common.bus import BROKER_TROUBLE
from parley_common.channels import Channels
from parley_common.events import InboundMessage, Media
from parley_common.media_store import BucketFull, Held, MediaStore

MOST = 10
"""Attachments of a turn."""

_RETRY_S = 0.5

log = structlog.get_logger(__name__)

_attachments = Counter("parley_attachments", "Attachments of people's texts, by what came of them.", ["outcome"])


@dataclass(frozen=True)
class Carried:
    """What a turn's texts brought along, and how much more could not be had."""

    attachments: tuple[Attachment, ...] = ()
    missing: int = 0


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    name: str
    media: Media
    message: InboundMessage


class Incoming:
    """Has attachments at hand. ``within_s``: how long a turn waits for all of its own."""

    def __init__(self, store: MediaStore, channels: Channels, *, within_s: float) -> None:
        self._store = store
        self._channels = channels
        self._within_s = within_s
        self._fetcher = Fetcher()

    async def close(self) -> None:
        """Ends what is open."""
        await self._fetcher.close()

    async def carried(self, messages: Sequence[InboundMessage]) -> Carried:
        """What came with these texts. Waits for all of it at once; raises nothing."""
        wanted = _wanted(messages)
        if not wanted:
            return Carried()
        found = await asyncio.gather(*map(self._attachment, wanted[:MOST]))
        had = tuple(attachment for attachment in found if attachment is not None)
        missing = len(wanted) - len(had)
        _attachments.labels("had").inc(len(had))
        _attachments.labels("missing").inc(missing)
        return Carried(attachments=had, missing=missing)

    async def _attachment(self, wanted: _Wanted) -> Attachment | None:
        try:
            async with asyncio.timeout(self._within_s):
                held = await self._held(wanted)
        except NotHad as error:
            reason = str(error)
        except BucketFull:
            reason = "the bucket of media is full: raise PARLEY_MEDIA_MAX_BYTES"
        except TimeoutError:
            reason = f"it could not be had within {self._within_s:g} s"
        except Exception as error:  # whatever it was, the words are answered
            log.exception("an attachment could not be had", sid=wanted.message.id)
            reason = type(error).__name__
        else:
            read = partial(self._read, wanted.name)
            return Attachment(content_type=held.content_type, size=held.size, read=read)
        message = wanted.message
        log.warning("attachment missing", conversation=message.conversation, sid=message.id, reason=reason)
        return None

    async def _held(self, wanted: _Wanted) -> Held:
        """Waits while the broker is gone; what was fetched then is fetched again rather than held in memory."""
        while True:
            try:
                return await self._store.find(wanted.name) or await self._fetched(wanted)
            except BROKER_TROUBLE as error:
                log.info("an attachment waits for the broker", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _fetched(self, wanted: _Wanted) -> Held:
        message = wanted.message
        channel = self._channels.named(message.channel)
        if channel is None:
            raise NotHad("its channel does not exist")
        return await self._fetcher.fetch(wanted.media.url, channel, message.id, partial(self._keep, wanted))

    async def _keep(self, wanted: _Wanted, data: bytes) -> Held:
        content_type = true_type(data, wanted.media.content_type)
        if content_type is None:
            raise NotHad("its content is not what it is said to be, or of no type that is taken")
        return await self._store.put(wanted.name, data, content_type)

    async def _read(self, name: str) -> bytes:
        try:
            medium = await self._store.get(name)
        except BROKER_TROUBLE as error:
            raise OSError(f"the attachment cannot be read now: {type(error).__name__}") from None
        if medium is None:
            raise OSError("the attachment is not kept any more")
        return medium.data


def _wanted(messages: Sequence[InboundMessage]) -> list[_Wanted]:
    return [
        _Wanted(name=f"in/{message.id}/{number}", media=media, message=message)
        for message in messages
        for number, media in enumerate(message.media)
    ]
