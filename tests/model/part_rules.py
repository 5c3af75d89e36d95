"""What must hold of a chain of sends and of what Twilio has, whatever happened."""

from __future__ import annotations

from collections import Counter
from functools import cache

from model.streams import EXPECTED
from model.twilio_world import Creation, Twilio
from parley_common.bus import Stored
from parley_common.domain.phone_numbers import Network, network_of
from parley_common.events import PartAttempted, PartFailed, PartSent, Reply, SendEvent, Slot, TurnDone
from parley_egress.rendering import part_id, render


class PartRules:
    """Follows one chain. ``turns``: those that ended, by their sequence."""

    def __init__(self, twilio: Twilio, *, settle_s: float, most_parts: int) -> None:
        self.turns: dict[int, TurnDone] = {}
        self.sids: dict[str, str] = {}
        self._twilio = twilio
        self._settle_s = settle_s
        self._most_parts = most_parts
        self._last: tuple[int, SendEvent] | None = None

    def follow(self, stored: Stored, event: SendEvent) -> None:
        """One more event, which must have its place after the one before."""
        seq = self._last[0] if self._last else 0
        assert stored.headers[EXPECTED] == str(seq), "a fork"
        before = self._last[1] if self._last else None
        assert event.slot in self._next(before), f"{event.slot} after {before}"
        open_seq = seq if isinstance(before, PartAttempted) else 0
        match event:
            case PartAttempted():
                again = before is not None and before.slot == event.slot
                tried = self._tries(before) if again else 0
                assert event.attempt == tried + 1, f"attempt {event.attempt} after {tried}"
                assert self._twilio.readable or event.doubts <= 1, "a third attempt without a log to read"
            case PartSent():
                assert event.attempted == open_seq != 0
                self._look_at_sid(event)
            case PartFailed():
                assert event.attempted == open_seq
        if isinstance(event, PartAttempted):
            self._tried = event.attempt
        self._last = (stored.seq, event)

    def is_over(self, seq: int) -> bool:
        """Whether all parts up to this turn have ended for good."""
        if self._last is None:
            return False
        _, event = self._last
        return event.slot.turn > seq or (
            event.slot.turn == seq
            and event.slot.message == len(self.turns[seq].messages) - 1
            and self._is_last_of_message(event)
        )

    def look_at_twilio(self) -> None:
        """Never two of one part, unless a POST left later than the settle time after its attempt.

        Where Twilio's log cannot be read for good there is one attempt more. Parts were accepted in order.
        """
        timely = [creation for creation in self._twilio.created if not self._is_late(creation)]
        counts = Counter(creation.text.part_id for creation in timely)
        most = 1 if self._twilio.readable else 2
        assert all(count <= most for count in counts.values()), f"sent twice: {counts}"
        names = [self._slots()[creation.text.part_id] for creation in timely]
        assert names == sorted(names), "not in order"
        if timely == self._twilio.created:
            wrong = {part for part, sid in self.sids.items() if self._part_of(sid) != part}
            assert not wrong, "a part has another part's SID"

    @property
    def doubles(self) -> list[str]:
        """The parts that Twilio has more than once."""
        counts = Counter(creation.text.part_id for creation in self._twilio.created)
        return [part for part, count in counts.items() if count > 1]

    def _is_late(self, creation: Creation) -> bool:
        return creation.after_s > self._settle_s

    def _tries(self, before: SendEvent | None) -> int:
        return 0 if isinstance(before, PartFailed) and not before.attempted and before.final else self._tried

    def _look_at_sid(self, event: PartSent) -> None:
        assert event.sid not in self.sids.values(), "one SID for two parts"
        assert event.sid in {creation.sid for creation in self._twilio.created}
        self.sids[event.part_id] = event.sid

    def _part_of(self, sid: str) -> str:
        return next(creation.text.part_id for creation in self._twilio.created if creation.sid == sid)

    def _is_last_of_message(self, event: SendEvent) -> bool:
        if isinstance(event, PartFailed):
            return event.final
        return isinstance(event, PartSent) and event.slot.part == event.of - 1

    def _next(self, before: SendEvent | None) -> list[Slot]:
        """Where the event after this one may stand: final states stay, no part is left out."""
        order = sorted(self._slots().values())
        if before is None:
            return order[:1]
        if isinstance(before, PartAttempted) or (isinstance(before, PartFailed) and not before.final):
            return [before.slot]
        if isinstance(before, PartFailed):
            order = [slot for slot in order if slot.part == 0]
        return [slot for slot in order if slot > before.slot][:1]

    def _slots(self) -> dict[str, Slot]:
        """All parts there are, and where each stands."""
        return {
            part_id(reply.id, part): Slot(turn=seq, message=number, part=part)
            for seq, turn in self.turns.items()
            for number, reply in enumerate(turn.messages)
            for part in range(_parts(reply, self._most_parts, network_of(turn.contact)))
        }


@cache
def _parts(reply: Reply, most: int, network: Network) -> int:
    return len(render(reply, most, network))
