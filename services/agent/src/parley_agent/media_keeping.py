"""Fetches what came with a text and keeps it in the bucket, once in this process however many want it.

Begun when the text's bell rings, so that it is there when its turn is taken, and also where nobody asks a brain.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from parley_agent.media_fetching import Fetcher, NotHad
from parley_agent.media_types import true_type
from parley_common.background import end
from parley_common.bus import BROKER_TROUBLE
from parley_common.channels import Channels
from parley_common.events import InboundMessage, Media
from parley_common.media_store import BucketFull, Held, MediaStore

_MOST_BEGUN = 1_000
"""Attachments that may be waited for by nobody yet; those beyond are fetched by their turn."""

_RETRY_S = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One attachment of a text, and its name in the bucket."""

    name: str
    media: Media
    message: InboundMessage


def wanted_of(message: InboundMessage) -> list[Wanted]:
    """The attachments of a text."""
    return [
        Wanted(name=f"in/{message.id}/{number}", media=media, message=message)
        for number, media in enumerate(message.media)
    ]


class Keeping:
    """Has attachments kept. ``within_s``: how long that may take for one."""

    def __init__(self, store: MediaStore, channels: Channels, *, within_s: float) -> None:
        self._store = store
        self._channels = channels
        self._within_s = within_s
        self._fetcher = Fetcher()
        self._under_way: dict[str, asyncio.Task[Held | None]] = {}

    async def close(self) -> None:
        """Ends what is under way."""
        tasks: list[asyncio.Task[Any]] = list(self._under_way.values())
        await end(tasks)
        await self._fetcher.close()

    def begin(self, message: InboundMessage) -> None:
        """Has what came with a text kept, without waiting for it."""
        for wanted in wanted_of(message):
            if len(self._under_way) < _MOST_BEGUN:
                self._task(wanted)

    async def held(self, wanted: Wanted) -> Held | None:
        """The attachment once it is kept, None where it cannot be had, of which the log has been told."""
        return await asyncio.shield(self._task(wanted))

    def _task(self, wanted: Wanted) -> asyncio.Task[Held | None]:
        task = self._under_way.get(wanted.name)
        if task is None:
            task = asyncio.create_task(self._keep(wanted))
            self._under_way[wanted.name] = task
            task.add_done_callback(lambda _task: self._under_way.pop(wanted.name, None))
        return task

    async def _keep(self, wanted: Wanted) -> Held | None:
        try:
            async with asyncio.timeout(self._within_s):
                return await self._kept(wanted)
        except NotHad as error:
            reason = str(error)
        except BucketFull:
            reason = "the bucket of media is full: raise PARLEY_MEDIA_MAX_BYTES"
        except TimeoutError:
            reason = f"it could not be had within {self._within_s:g} s"
        except Exception as error:  # whatever it was, the words are answered
            log.exception("an attachment could not be had", sid=wanted.message.id)
            reason = type(error).__name__
        message = wanted.message
        log.warning("attachment missing", conversation=message.conversation, sid=message.id, reason=reason)
        return None

    async def _kept(self, wanted: Wanted) -> Held:
        """Waits while the broker is gone; what was fetched then is fetched again rather than held in memory."""
        while True:
            try:
                return await self._store.find(wanted.name) or await self._fetched(wanted)
            except BROKER_TROUBLE as error:
                log.info("an attachment waits for the broker", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _fetched(self, wanted: Wanted) -> Held:
        message = wanted.message
        channel = self._channels.named(message.channel)
        if channel is None:
            raise NotHad("its channel does not exist")
        return await self._fetcher.fetch(wanted.media.url, channel, message.id, partial(self._put, wanted))

    async def _put(self, wanted: Wanted, data: bytes) -> Held:
        content_type = true_type(data, wanted.media.content_type)
        if content_type is None:
            raise NotHad("its content is not what it is said to be, or of no type that is taken")
        return await self._store.put(wanted.name, data, content_type)
