"""One conversation's messages become texts at Twilio, in order and each once: the drain behind a doorbell.

The chain of sends is the cursor: its last event says which part is next. How a part is sent is ``sending``'s
business.
"""

from __future__ import annotations

import asyncio

import msgspec

from parley_common.bus import Bus, Stored, Superseded
from parley_common.dead_letters import bury
from parley_common.doorbells import LOOK_AGAIN_S, MOST_LOOKS, Highest
from parley_common.events import OutboundMessage, PartAttempted, TurnDone
from parley_common.lanes import REPLIES, Lane
from parley_egress.chain import End, Place, Standing, after, fold
from parley_egress.parts import Origin, Part, first_part, following_part, same_part
from parley_egress.rendering import render
from parley_egress.sending import Sending


class Outbox:
    """Drains one lane of conversations towards Twilio."""

    def __init__(self, bus: Bus, sending: Sending, *, most_parts: int, lane: Lane = REPLIES) -> None:
        self._bus = bus
        self._sending = sending
        self._most_parts = most_parts
        self._lane = lane

    async def drain(self, conversation: str, highest: Highest) -> int:
        """Sends what there is; returns the sequence up to which all is over. Raises ``Busy``."""
        end = await self._read_end(conversation)
        looks = 0
        while True:
            part, done = await self._next_part(conversation, end)
            if part is not None:
                end = await self._send(conversation, part, end)
                looks = 0
            elif highest() <= done or looks == MOST_LOOKS:
                return done
            else:
                looks += 1
                await asyncio.sleep(LOOK_AGAIN_S)

    async def is_done(self, conversation: str, seq: int) -> bool:
        """Whether all up to this sequence is over. Raises ``Later`` where it merely waits for its time."""
        end = await self._read_end(conversation)
        part, _ = await self._next_part(conversation, end)
        if part is None or part.slot.turn > seq:
            return True
        await self._sending.look(part, end)
        return False

    async def _send(self, conversation: str, part: Part, end: End) -> End:
        try:
            return await self._sending.advance(part, end)
        except Superseded:
            return await self._read_end(conversation)

    async def _read_end(self, conversation: str) -> End:
        chain = self._lane.chain(conversation)
        stored = await self._bus.last(chain)
        return End(chain=chain) if stored is None else fold(chain, stored.event(), stored.seq, stored.time)

    async def _next_part(self, conversation: str, end: End) -> tuple[Part | None, int]:
        """The part to send next, or None and the sequence up to which all is over."""
        if end.standing in (Standing.EMPTY, Standing.MESSAGE_OVER):
            return await self._next_message(conversation, after(end))
        origin = await self._origin(conversation, end)
        attempt = await self._attempt(end)
        if origin is None or attempt is None:
            # Retention took it: nothing is left that could be sent.
            return await self._next_message(conversation, after(end))
        make = following_part if end.standing is Standing.MORE_PARTS else same_part
        return make(origin, attempt), 0

    async def _next_message(self, conversation: str, place: Place) -> tuple[Part | None, int]:
        done, source = place.turn - 1, self._lane.source(conversation)
        while (stored := await self._bus.next(source, seq=place.turn)) is not None:
            origin = await self._read(stored)
            part = self._first_from(origin, place) if origin is not None else None
            if part is not None:
                return part, 0
            done = stored.seq
            place = Place(turn=stored.seq + 1, message=0)
        return None, done

    def _first_from(self, origin: Origin, place: Place) -> Part | None:
        """The first part of the first message that has any, at or after the place."""
        start = place.message if origin.seq == place.turn else 0
        for number in range(start, len(origin.event.messages)):
            bodies = render(origin.event.messages[number], self._most_parts, origin.network)
            if bodies:
                return first_part(origin, number, bodies)
        return None

    async def _read(self, stored: Stored) -> Origin | None:
        """What is stored there; what cannot be read goes to the dead letters and stops nobody."""
        try:
            event = stored.event()
        except msgspec.DecodeError as error:
            await bury(self._bus, stored, f"not a readable message: {type(error).__name__}", service="egress")
            return None
        if not isinstance(event, TurnDone | OutboundMessage):
            return None
        return Origin(
            subject=stored.subject, seq=stored.seq, event=event, headers=stored.headers, stored_at=stored.time
        )

    async def _origin(self, conversation: str, end: End) -> Origin | None:
        seq = end.slot.turn if end.slot else 0
        stored = await self._bus.next(self._lane.source(conversation), seq=seq)
        return await self._read(stored) if stored is not None and stored.seq == seq else None

    async def _attempt(self, end: End) -> PartAttempted | None:
        if isinstance(end.event, PartAttempted):
            return end.event
        stored = await self._bus.next(end.chain, seq=end.attempt_seq)
        event = stored.event() if stored is not None and stored.seq == end.attempt_seq else None
        return event if isinstance(event, PartAttempted) else None
