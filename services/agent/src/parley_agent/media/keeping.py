"""Fetches what came with a text and keeps it in the bucket, once in this process however many want it.

Begun when the text's bell rings, so that it is there when its turn is taken, and also where nobody asks a brain.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from parley_agent.media.fetching import Fetcher, NotHad
from parley_agent.media.share import MOST_A_DAY, Share
from parley_agent.media.types import true_type
from parley_agent.media.waiting import Patience, patience
from parley_agent.media.welcome import Welcome
from parley_common.background import end
from parley_common.bus import BROKER_TROUBLE
from parley_common.channels import Channels
from parley_common.events import InboundMessage, Media
from parley_common.media_store import BucketFull, Held, MediaStore

_AT_ONCE = 8
"""Attachments in the memory of this process, while they are fetched and while they are kept."""

_MOST_BEGUN = 1_000
"""Attachments that may be waited for by nobody yet; those beyond are fetched by their turn."""

_OF_BUCKET = 0.9
"""Of the bucket that may be full of what people sent. The rest is left to what goes out."""

_MISSED_S = 60.0
"""For so long what could not be had is not asked for again."""

_MOST_MISSED = 10_000
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
    """Has attachments kept. ``within_s``: how long that may take for one, waiting for a place apart."""

    def __init__(self, store: MediaStore, channels: Channels, *, within_s: float) -> None:
        self._store = store
        self._channels = channels
        self._within_s = within_s
        self._fetcher = Fetcher()
        self._welcome = Welcome(store.bus, channels)
        self._share = Share(store.bus)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._begun: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, asyncio.Task[Held | None]] = {}
        self._missed: dict[str, float] = {}

    async def close(self) -> None:
        """Ends what is under way."""
        tasks: list[asyncio.Task[Any]] = [*self._begun, *self._under_way.values()]
        await end(tasks)
        await self._fetcher.close()

    def begin(self, message: InboundMessage) -> None:
        """Has what came with a text kept, without waiting for it; not that of people who get no answer."""
        if self._welcome.may_text(message) and len(self._begun) + len(self._under_way) < _MOST_BEGUN:
            task = asyncio.create_task(self._begin(message))
            self._begun.add(task)
            task.add_done_callback(self._begun.discard)

    async def held(self, wanted: Wanted) -> Held | None:
        """The attachment once it is kept, None where it cannot be had, of which the log has been told."""
        return None if self._just_missed(wanted.name) else await asyncio.shield(self._task(wanted))

    async def _begin(self, message: InboundMessage) -> None:
        if await self._welcome.is_due(message):
            for wanted in wanted_of(message):
                if not self._just_missed(wanted.name):
                    self._task(wanted)

    def _task(self, wanted: Wanted) -> asyncio.Task[Held | None]:
        task = self._under_way.get(wanted.name)
        if task is None:
            task = asyncio.create_task(self._keep(wanted))
            self._under_way[wanted.name] = task
            task.add_done_callback(lambda _task: self._under_way.pop(wanted.name, None))
        return task

    def _just_missed(self, name: str) -> bool:
        return self._missed.get(name, float("-inf")) > time.monotonic()

    def _miss(self, name: str) -> None:
        self._missed.pop(name, None)  # so that the oldest stand first
        self._missed[name] = time.monotonic() + _MISSED_S
        while len(self._missed) > _MOST_MISSED or not self._just_missed(next(iter(self._missed))):
            del self._missed[next(iter(self._missed))]

    async def _keep(self, wanted: Wanted) -> Held | None:
        try:
            async with patience(self._within_s) as left:
                return await self._kept(wanted, left)
        except NotHad as error:
            reason = str(error)
        except BucketFull:
            reason = "the bucket of media has no room for it: raise PARLEY_MEDIA_MAX_BYTES"
        except TimeoutError:
            reason = f"it could not be had within {self._within_s:g} s"
        except Exception as error:  # whatever it was, the words are answered
            log.exception("an attachment could not be had", sid=wanted.message.id)
            reason = type(error).__name__
        self._miss(wanted.name)
        message = wanted.message
        log.warning("attachment missing", conversation=message.conversation, sid=message.id, reason=reason)
        return None

    async def _kept(self, wanted: Wanted, left: Patience) -> Held:
        """Waits while the broker is gone; what was fetched then is fetched again rather than held in memory."""
        while True:
            try:
                return await self._store.find(wanted.name) or await self._fetched(wanted, left)
            except BROKER_TROUBLE as error:
                log.info("an attachment waits for the broker", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def _fetched(self, wanted: Wanted, left: Patience) -> Held:
        message = wanted.message
        channel = self._channels.named(message.channel)
        if channel is None:
            raise NotHad("its channel does not exist")
        place, keep = partial(self._place, wanted, left), partial(self._put, wanted)
        return await self._fetcher.fetch(wanted.media.url, channel, message.id, keep, place=place)

    @asynccontextmanager
    async def _place(self, wanted: Wanted, left: Patience) -> AsyncIterator[None]:
        async with left.place(self._places):
            if await self._share.is_used_up(wanted.message.conversation):
                raise NotHad(f"{MOST_A_DAY} bytes of this conversation were kept today")
            yield

    async def _put(self, wanted: Wanted, data: bytes) -> Held:
        content_type = true_type(data, wanted.media.content_type)
        if content_type is None:
            raise NotHad("its content is not what it is said to be, or of no type that is taken")
        held = await self._store.put(wanted.name, data, content_type, of_bucket=_OF_BUCKET)
        await self._share.count(wanted.message.conversation, len(data))
        return held
