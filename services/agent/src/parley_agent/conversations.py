"""One conversation's texts become turns, in order and each once: the drain behind a doorbell.

The event that ends a turn is the cursor. Every write expects the chain to end where it was read, so a stale
worker is refused; leases only save work. What to answer is not decided here.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from parley_agent.turns import Turns
from parley_common import topology
from parley_common.bus import Bus, Stored, Superseded
from parley_common.doorbells import LOOK_AGAIN_S, MOST_LOOKS, Busy, Highest
from parley_common.leases import Leases
from parley_common.tail import Tail, fold

log = structlog.get_logger(__name__)


class Conversations:
    """Drains conversations, each under its lease."""

    def __init__(self, bus: Bus, leases: Leases, turns: Turns) -> None:
        self._bus = bus
        self._leases = leases
        self._turns = turns
        self._not_understood: set[str] = set()

    async def drain(self, conversation: str, highest: Highest) -> int:
        """Deals with every text there is; returns the sequence up to which all are. Raises ``Busy``."""
        while True:
            await self._take(conversation)
            try:
                upto = await self._drain_held(conversation, highest)
            finally:
                await self._leases.release(_lease(conversation))
            # A text that came while the lease was given back found it taken: look once more.
            if await self._bus.next(topology.texts(conversation), seq=upto + 1) is None:
                return upto

    async def is_done(self, conversation: str, seq: int) -> bool:
        """Whether the text at this sequence is dealt with, as far as this release can tell."""
        try:
            return (await self._read_tail(conversation)).upto >= seq
        except Busy:
            return False

    async def _drain_held(self, conversation: str, highest: Highest) -> int:
        tail = await self._finished_tail(conversation)
        looks = 0
        while True:
            first = await self._bus.next(topology.texts(conversation), seq=tail.upto + 1)
            if first is not None:
                tail = await self._turn(tail, first, highest)
                looks = 0
            elif highest() <= tail.upto or looks == MOST_LOOKS:
                return tail.upto
            else:
                looks += 1
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _turn(self, tail: Tail, first: Stored, highest: Highest) -> Tail:
        try:
            return await self._turns.take(tail, first, highest)
        except Superseded:
            conversation = topology.conversation_of(first.subject)
            await self._take(conversation)
            return await self._finished_tail(conversation)

    async def _take(self, conversation: str) -> None:
        if await self._leases.take(_lease(conversation)) is not None:
            raise Busy

    async def _finished_tail(self, conversation: str) -> Tail:
        """The tail, with all done that whoever wrote its last event may not have lived to do."""
        tail = await self._read_tail(conversation)
        await self._turns.finish(tail)
        return tail

    async def _read_tail(self, conversation: str) -> Tail:
        """Raises ``Busy`` where the last event is one that only another release can work on."""
        stored = await self._bus.last(topology.own(conversation))
        if stored is None:
            return Tail()
        try:
            tail = fold(stored.event(), stored.seq)
        except (msgspec.DecodeError, ValueError) as error:
            self._tell_once(stored, type(error).__name__)
            raise Busy from None
        self._not_understood.discard(conversation)
        return tail

    def _tell_once(self, stored: Stored, error: str) -> None:
        conversation = topology.conversation_of(stored.subject)
        if conversation not in self._not_understood:
            self._not_understood.add(conversation)
            log.error(
                "the conversation's last event is not understood, its texts wait for a newer agent",
                conversation=conversation,
                sequence=stored.seq,
                error=error,
            )


def _lease(conversation: str) -> str:
    return f"conv.{conversation}"
