"""Folds a stored event again where an operator asks for it, such as one that could not be folded before a repair.

Folding an event twice changes nothing, so any event may be asked for.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

import msgspec
import structlog

from parley_common.bus import BROKER_TROUBLE, Bus, Stored
from parley_common.requests import REPLAY, Answer, ReplayRequest, decode, encode
from parley_status.database import Database, is_trouble
from parley_status.intake import CONSUMERS
from parley_status.projection import Recorded, fold

_QUEUE = "status"
_SUBJECTS = {consumer.stream: consumer.subject for consumer in CONSUMERS}

log = structlog.get_logger(__name__)


class Request(Protocol):
    """A NATS request as it came in."""

    data: bytes
    reply: str


class Replays:
    """Answers these requests; of several replicas, one answers each."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._bus = bus
        self._database = database

    async def listen(self) -> None:
        """Begins to answer; goes on until the connection is closed."""
        await self._bus.nc.subscribe(REPLAY, queue=_QUEUE, cb=self._on_request)

    async def _on_request(self, request: Request) -> None:
        answer = await self._answer(request.data)
        log.info("replay", ok=answer.ok, words=answer.words)
        await self._bus.nc.publish(request.reply, encode(answer))

    async def _answer(self, data: bytes) -> Answer:
        try:
            request = decode(data, ReplayRequest)
        except msgspec.DecodeError:
            return _no("the request is not a ReplayRequest: it names a stream and a sequence")
        try:
            return await self.replay(request)
        except BROKER_TROUBLE as error:
            return _no(f"the broker is in trouble ({type(error).__name__}): try again")
        except Exception as error:
            if is_trouble(error):
                return _no(f"the database is in trouble ({type(error).__name__}): try again")
            return _no(f"{request.stream} {request.sequence} cannot be folded: {type(error).__name__}")

    async def replay(self, request: ReplayRequest) -> Answer:
        """Reads the message from the stream's leader and folds it."""
        where = f"{request.stream} {request.sequence}"
        if request.stream not in _SUBJECTS:
            return _no(f"status does not read stream {request.stream}: it reads {', '.join(sorted(_SUBJECTS))}")
        stored = await self._stored(request)
        if stored is None:
            return _no(f"{where} is not in its stream any more")
        try:
            event = stored.event()
        except msgspec.DecodeError:
            return _no(f"{where} is still not an event that this release knows")
        await self._database.write(partial(fold, batch=[Recorded(stored.seq, event)]))
        return Answer(ok=True, words=f"{where} is folded: {type(event).__name__}")

    async def _stored(self, request: ReplayRequest) -> Stored | None:
        stored = await self._bus.next(_SUBJECTS[request.stream], seq=request.sequence)
        return stored if stored is not None and stored.seq == request.sequence else None


def _no(words: str) -> Answer:
    return Answer(ok=False, words=words)
