"""Two senders that both believe to own the number, one conversation, and a Twilio that may fail in any way.

The real drains run over streams and a Twilio whose every answer is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from types import SimpleNamespace
from typing import Any

from model.choices import Chooser
from model.part_rules import PartRules
from model.twilio_world import Api, Creation, Twilio
from model.virtual import VirtualLoop
from model.world import Process, Step, World
from parley_common import events, topology
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.events import DeliveryReport, PartAttempted, Reply, SendEvent, TurnDone, TurnOutcome
from parley_common.identity import Identity
from parley_egress.accounts import Accounts, Gate
from parley_egress.evidence import Evidences
from parley_egress.outbox import Outbox
from parley_egress.ownership import Ownership
from parley_egress.sending import Sending, Tools

PERSON, NUMBER = "+15557772222", "+15550001111"
SETTLE_S = 8.0
MOST_PARTS = 10
CHANNEL = Channel(
    name="default",
    account_sid="AC" + "a" * 32,
    auth_tokens=("token",),
    numbers=(NUMBER,),
    messaging_service_sid=None,
    allowed=frozenset(),
    allow_all=True,
    rate_mps=1_000.0,
)
LONG = "word " * 400
"""Two parts."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``turns``: the replies of each. ``log``: whether Twilio's can ever be read."""

    turns: tuple[tuple[str, ...], ...] = (("same", "same"), (LONG,))
    log: bool = True
    expiry_s: float = 3_600.0


class EveryLease:
    """Whoever asks owns it."""

    in_doubt = False

    async def take(self, _key: str) -> str | None:
        """Granted."""
        return None

    async def unsettled_s(self) -> float:
        """Nobody had it before."""
        return 0.0

    def inherited(self, _key: str) -> bool:
        """From nobody."""
        return False


class PartWorld(World):
    """The world of a conversation's chain of sends."""

    def __init__(self, loop: VirtualLoop, chooser: Chooser, plan: Plan) -> None:
        self.plan = plan
        self.twilio = Twilio(loop.utc, self._age_s, readable=plan.log)
        self.rules = PartRules(self.twilio, settle_s=SETTLE_S, most_parts=MOST_PARTS)
        self._attempts: dict[tuple[str, str], float] = {}
        self._digest = 0
        super().__init__(loop, chooser)

    def start(self, name: str) -> Process:
        """A sender."""
        api: list[Api] = []
        process = self.new_process(name, lambda bus: self._outbox(bus, api).drain)
        process.port.stale_reads = False
        api.append(Api(process.port, self.twilio))
        return process

    def arrivals(self) -> Iterator[Step]:
        """The agent's next turn."""
        if len(self.rules.turns) < len(self.plan.turns):
            yield (f"turn {len(self.rules.turns) + 1} ends", self._turn)

    def events(self) -> Iterator[Step]:
        """Twilio reports a text."""
        for creation in self.twilio.created:
            if not creation.reported:
                yield (f"callback of {creation.sid[-2:]}", lambda c=creation: self._report(c))  # type: ignore[misc]

    def digest(self) -> int:
        """The streams and Twilio."""
        return hash((self._digest, tuple((c.sid, c.reported, c.text.part_id) for c in self.twilio.created)))

    def on_stored(self, stored: object) -> None:
        """Every event of the chain has its place."""
        assert isinstance(stored, Stored)
        event = stored.event()
        self._digest = hash((self._digest, stored.subject, type(event).__name__))
        if isinstance(event, SendEvent):
            self.rules.follow(stored, event)
        if isinstance(event, PartAttempted):
            self._attempts[self.acting, event.part_id] = self.loop.now_s

    def on_acked(self, seq: int) -> None:
        """A bell is only acked when its turn is over."""
        assert self.rules.is_over(seq), f"bell {seq} is acked and its turn is not over"

    def at_the_end(self) -> None:
        """Every part has come to an end, and has it only once at Twilio."""
        assert len(self.rules.turns) == len(self.plan.turns)
        assert not self.bells, f"bells without work: {sorted(self.bells)}"
        assert all(self.rules.is_over(seq) for seq in self.rules.turns), "a part without an end"
        self.rules.look_at_twilio()

    def _age_s(self, process: str, part_id: str) -> float:
        return self.loop.now_s - self._attempts[process, part_id]

    def _turn(self) -> None:
        number, now = len(self.rules.turns), self.loop.utc().astimezone(UTC)
        replies = tuple(Reply(id=f"{number}-{n}", text=text) for n, text in enumerate(self.plan.turns[number]))
        done = TurnDone(
            id=f"turn-{number}",
            at=now,
            channel="default",
            conversation="c",
            upto=1,
            first=1,
            outcome=TurnOutcome.ANSWERED,
            sender=NUMBER,
            contact=PERSON,
            expires_at=now + timedelta(seconds=self.plan.expiry_s),
            messages=replies,
        )
        seq = self.streams.publish(topology.turn_done("c"), events.encode(done), {}).seq
        self.rules.turns[seq] = done
        self.ring(seq)

    def _report(self, creation: Creation) -> None:
        creation.reported = True
        report = DeliveryReport(
            id=f"{creation.sid}-sent",
            at=self.loop.utc(),
            channel="default",
            conversation="c",
            account_sid=CHANNEL.account_sid,
            sid=creation.sid,
            status="sent",
            part_id=creation.text.part_id,
        )
        self.streams.publish(topology.reports("c", creation.text.part_id), events.encode(report), {})

    def _outbox(self, bus: Bus, api: list[Api]) -> Outbox:
        async def send(*arguments: Any) -> Any:
            return await api[0].send(*arguments)

        async def read_log(*arguments: Any) -> Any:
            return await api[0].read_log(*arguments)

        twilio: Any = SimpleNamespace(send=send, read_log=read_log)
        switches: Any = SimpleNamespace(paused=lambda _channel: False, restored=None)
        leases: Any = EveryLease()
        accounts, identity = Accounts(10), Identity(b"k" * 32)
        ownership = Ownership(leases, identity, Gate(switches, accounts))
        tools = Tools(
            bus=bus,
            channels=Channels((CHANNEL,)),
            ownership=ownership,
            accounts=accounts,
            switches=switches,
            api=twilio,
            consent=ConsentLedger(bus, identity),
            evidences=Evidences(bus, twilio, settle_s=SETTLE_S),
        )
        self.loop.create_task(_own(ownership))
        return Outbox(bus, Sending(tools), most_parts=MOST_PARTS)


async def _own(ownership: Ownership) -> None:
    await ownership.find(CHANNEL, NUMBER)
    await ownership.keep_confirmed()
