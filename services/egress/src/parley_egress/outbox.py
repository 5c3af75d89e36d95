"""One conversation's replies become texts at Twilio, in order and each once: the drain behind a doorbell.

The chain of sends is the cursor: its last event says which part is next. How a part is sent is ``sending``'s
business.
"""

from __future__ import annotations

import asyncio

import msgspec

from parley_common import topology
from parley_common.bus import Bus, Stored, Superseded
from parley_common.dead_letters import bury
from parley_common.doorbells import LOOK_AGAIN_S, MOST_LOOKS, Highest
from parley_common.events import PartAttempted, TurnDone
from parley_egress.chain import End, Place, Standing, after, fold
from parley_egress.parts import Part, StoredTurn, first_part, following_part, same_part
from parley_egress.rendering import render
from parley_egress.sending import Sending


class Outbox:
    """Drains conversations towards Twilio."""

    def __init__(self, bus: Bus, sending: Sending, *, most_parts: int) -> None:
        self._bus = bus
        self._sending = sending
        self._most_parts = most_parts

    async def drain(self, conversation: str, highest: Highest) -> int:
        """Sends what there is; returns the sequence of the last turn all of which is over. Raises ``Busy``."""
        end = await self._read_end(conversation)
        looks = 0
        while True:
            part, done = await self._next_part(conversation, end)
            if part is not None:
                end = await self._send(part, end)
                looks = 0
            elif highest() <= done or looks == MOST_LOOKS:
                return done
            else:
                looks += 1
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _send(self, part: Part, end: End) -> End:
        try:
            return await self._sending.advance(part, end)
        except Superseded:
            return await self._read_end(part.turn.done.conversation)

    async def _read_end(self, conversation: str) -> End:
        stored = await self._bus.last(topology.sends(conversation))
        return End() if stored is None else fold(stored.event(), stored.seq, stored.time)

    async def _next_part(self, conversation: str, end: End) -> tuple[Part | None, int]:
        """The part to send next, or None and the sequence of the last turn that is over."""
        if end.standing in (Standing.EMPTY, Standing.MESSAGE_OVER):
            return await self._next_message(conversation, after(end))
        turn = await self._turn(conversation, end)
        attempt = await self._attempt(conversation, end)
        if turn is None or attempt is None:
            # Retention took the turn: nothing is left that could be sent.
            return await self._next_message(conversation, after(end))
        make = following_part if end.standing is Standing.MORE_PARTS else same_part
        return make(turn, attempt), 0

    async def _next_message(self, conversation: str, place: Place) -> tuple[Part | None, int]:
        done = place.turn - 1
        while (stored := await self._bus.next(topology.turn_done(conversation), seq=place.turn)) is not None:
            turn = await self._read_turn(stored)
            part = self._first_from(turn, place) if turn is not None else None
            if part is not None:
                return part, 0
            done = stored.seq
            place = Place(turn=stored.seq + 1, message=0)
        return None, done

    def _first_from(self, turn: StoredTurn, place: Place) -> Part | None:
        """The first part of the first message that has any, at or after the place."""
        start = place.message if turn.seq == place.turn else 0
        for number in range(start, len(turn.done.messages)):
            bodies = render(turn.done.messages[number], self._most_parts)
            if bodies:
                return first_part(turn, number, bodies)
        return None

    async def _read_turn(self, stored: Stored) -> StoredTurn | None:
        """The turn stored there; one that cannot be read goes to the dead letters and stops nobody."""
        try:
            event = stored.event()
        except msgspec.DecodeError as error:
            await bury(self._bus, stored, f"not a readable turn: {type(error).__name__}", service="egress")
            return None
        return (
            StoredTurn(seq=stored.seq, done=event, headers=stored.headers) if isinstance(event, TurnDone) else None
        )

    async def _turn(self, conversation: str, end: End) -> StoredTurn | None:
        seq = end.slot.turn if end.slot else 0
        stored = await self._bus.next(topology.turn_done(conversation), seq=seq)
        return await self._read_turn(stored) if stored is not None and stored.seq == seq else None

    async def _attempt(self, conversation: str, end: End) -> PartAttempted | None:
        if isinstance(end.event, PartAttempted):
            return end.event
        stored = await self._bus.next(topology.sends(conversation), seq=end.attempt_seq)
        event = stored.event() if stored is not None and stored.seq == end.attempt_seq else None
        return event if isinstance(event, PartAttempted) else None
