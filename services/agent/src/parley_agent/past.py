"""Reads the turns of a conversation that were answered before, for a brain that wants to know.

The cursor names them; their texts and answers are read where they are kept, in the stream, so that what is erased
there is forgotten here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog

from parley_brains.brain import Exchange
from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus, Stored
from parley_common.events import AnyEvent, InboundMessage, TurnDone

_RETRY_S = 0.5

log = structlog.get_logger(__name__)


async def read_past(bus: Bus, conversation: str, turns: Sequence[int], *, within_s: float) -> tuple[Exchange, ...]:
    """The turns that ended at these sequences, the newest last; one that retention took is left out.

    None at all where the broker cannot be read for ``within_s`` seconds: an answer matters more than what was
    said before.
    """
    try:
        async with asyncio.timeout(within_s):
            return await _read_patiently(bus, conversation, turns)
    except TimeoutError:
        log.warning("answered without what was said before, the broker is in trouble", conversation=conversation)
        return ()


async def _read_patiently(bus: Bus, conversation: str, turns: Sequence[int]) -> tuple[Exchange, ...]:
    while True:
        try:
            found = [await _exchange(bus, conversation, seq) for seq in turns]
        except BROKER_TROUBLE:
            await asyncio.sleep(_RETRY_S)
        else:
            return tuple(exchange for exchange in found if exchange is not None)


async def _exchange(bus: Bus, conversation: str, seq: int) -> Exchange | None:
    stored = await bus.next(topology.turn_done(conversation), seq=seq)
    done = _event(stored) if stored is not None and stored.seq == seq else None
    if not isinstance(done, TurnDone):
        return None
    text = "\n".join([body async for body in _bodies(bus, done)])
    return Exchange(text=text, answers=tuple(reply.text for reply in done.messages))


async def _bodies(bus: Bus, done: TurnDone) -> AsyncIterator[str]:
    seq = done.first
    while seq <= done.upto:
        stored = await bus.next(topology.texts(done.conversation), seq=seq)
        if stored is None or stored.seq > done.upto:
            return
        text = _event(stored)
        if isinstance(text, InboundMessage) and text.body:
            yield text.body
        seq = stored.seq + 1


def _event(stored: Stored) -> AnyEvent | None:
    try:
        return stored.event()
    except msgspec.DecodeError:
        return None
