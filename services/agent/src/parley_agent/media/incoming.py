"""What came with the texts of a turn, read from the bucket by the brain when it wants to.

What cannot be had is counted, and the text is answered all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from prometheus_client import Counter

from parley_agent.media.keeping import Keeping, Wanted, wanted_of
from parley_brains.brain import Attachment
from parley_common.bus import BROKER_TROUBLE
from parley_common.events import InboundMessage
from parley_common.media_store import MediaStore
from parley_common.metrics import begin

MOST = 10
"""Attachments of a turn."""

log = structlog.get_logger(__name__)

_attachments = Counter("parley_attachments", "Attachments of people's texts, by what came of them.", ["outcome"])
begin(_attachments, ("had", "missing"))


@dataclass(frozen=True)
class Carried:
    """What a turn's texts brought along, and how much more could not be had."""

    attachments: tuple[Attachment, ...] = ()
    missing: int = 0


class Incoming:
    """Has attachments at hand."""

    def __init__(self, store: MediaStore, keeping: Keeping) -> None:
        self._store = store
        self._keeping = keeping

    async def carried(self, messages: Sequence[InboundMessage], *, within_s: float) -> Carried:
        """What came with these texts. Waits so long for all of it at once; raises nothing."""
        wanted = [one for message in messages for one in wanted_of(message)]
        if not wanted:
            return Carried()
        found = await asyncio.gather(*(self._attachment(one, within_s) for one in wanted[:MOST]))
        had = tuple(attachment for attachment in found if attachment is not None)
        missing = len(wanted) - len(had)
        _attachments.labels("had").inc(len(had))
        _attachments.labels("missing").inc(missing)
        return Carried(attachments=had, missing=missing)

    async def _attachment(self, wanted: Wanted, within_s: float) -> Attachment | None:
        try:
            async with asyncio.timeout(within_s):
                held = await self._keeping.held(wanted)
        except TimeoutError:
            log.warning("a turn waits for an attachment no longer", sid=wanted.message.id, within_s=within_s)
            return None
        if held is None:
            return None
        return Attachment(content_type=held.content_type, size=held.size, read=partial(self._read, wanted.name))

    async def _read(self, name: str) -> bytes:
        try:
            medium = await self._store.get(name)
        except BROKER_TROUBLE as error:
            raise OSError(f"the attachment cannot be read now: {type(error).__name__}") from None
        if medium is None:
            raise OSError("the attachment is not kept any more")
        return medium.data
