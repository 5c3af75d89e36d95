"""Reads the turns of a conversation that were answered before, for a brain that wants to know.

The cursor names them; their texts and answers are read where they are kept, in the stream, so that what is erased
there is forgotten here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from parley_agent.texts import readable, stored_between
from parley_brains.brain import Exchange
from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus, Stored
from parley_common.events import AnyEvent, TurnDone

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
    stored_texts = [stored async for stored in stored_between(bus, conversation, done.first, done.upto)]
    bodies = [text.message.body for stored in stored_texts if (text := readable(stored)) and text.message.body]
    return Exchange(text="\n".join(bodies), answers=tuple(reply.text for reply in done.messages))


def _event(stored: Stored) -> AnyEvent | None:
    try:
        return stored.event()
    except msgspec.DecodeError:
        return None
