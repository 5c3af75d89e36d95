"""Two agents, three texts, one conversation: the real drains over streams whose every answer is chosen.

What must hold is looked at whenever something is stored or acked, and once more when all has come to rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from model.choices import Chooser
from model.streams import EXPECTED
from model.virtual import VirtualLoop
from model.world import Process, Step, World
from parley_agent.conversations import Conversations
from parley_agent.turns import Pace, Turns
from parley_brains.agent_file import AgentFile
from parley_brains.agents import Agent
from parley_brains.brain import Message, Said, Turn
from parley_common import events, topology
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel, Channels
from parley_common.events import DeadLetter, InboundMessage, TurnBegun, TurnDone, TurnOutcome

PERSON, NUMBER = "+15550100200", "+15550100100"
CHANNEL = Channel(
    name="default",
    account_sid="AC" + "0" * 32,
    auth_tokens=("token",),
    numbers=(NUMBER,),
    messaging_service_sid=None,
    allowed=frozenset(),
    allow_all=True,
)
_LETTERED = (TurnOutcome.FAILED, TurnOutcome.UNREADABLE)


@dataclass(frozen=True, kw_only=True)
class Story:
    """``texts``: how many come. ``acts``: the brain's turns are begun first. ``fails``: it never answers.

    ``gather_s``: how long a text waits for another. ``stale_reads``: whether reads may miss the newest.
    """

    texts: int = 3
    acts: bool = True
    fails: bool = False
    gather_s: float = 0.0
    stale_reads: bool = True


class Brain:
    """Says what the person said, or fails."""

    def __init__(self, story: Story) -> None:
        self.acts = story.acts
        self._fails = story.fails

    async def answer(self, turn: Turn) -> Said:
        """Answers."""
        if self._fails:
            raise ValueError("it fails")
        return Said(messages=(Message(text=turn.text),))

    async def close(self) -> None:
        """Nothing is open."""


class TableOfLeases:
    """Leases of which one may be lost at any moment: then both work."""

    def __init__(self, table: dict[str, str], name: str) -> None:
        self._table = table
        self._name = name

    async def take(self, key: str) -> str | None:
        """Takes it unless somebody else has it."""
        holder = self._table.setdefault(key, self._name)
        return None if holder == self._name else holder

    async def release(self, key: str) -> None:
        """Gives it back."""
        if self._table.get(key) == self._name:
            del self._table[key]


class ConversationWorld(World):
    """The world of the conversation chain."""

    def __init__(self, loop: VirtualLoop, chooser: Chooser, story: Story) -> None:
        self.story = story
        self.arrived = 0
        self.leases: dict[str, str] = {}
        self.upto = self.last_own = 0
        self.before: TurnBegun | TurnDone | None = None
        self._digest = 0
        super().__init__(loop, chooser)

    def start(self, name: str) -> Process:
        """An agent."""
        process = self.new_process(name, lambda bus: self._conversations(bus, name).drain)
        process.port.stale_reads = self.story.stale_reads
        return process

    def arrivals(self) -> Iterator[Step]:
        """The next text."""
        if self.arrived < self.story.texts:
            yield (f"text {self.arrived + 1} comes", self._text)

    def events(self) -> Iterator[Step]:
        """A lease runs out though its holder works."""
        for key in list(self.leases):
            yield (f"{self.leases[key]} loses its lease", lambda key=key: self.leases.pop(key))  # type: ignore[misc]

    def crash(self, process: Process) -> None:
        """Its leases run out as well."""
        super().crash(process)
        self.on_thought_dead(process)
        for one in self.alive:
            one.port.seen = hash((one.port.seen, "crash"))

    def on_thought_dead(self, process: Process) -> None:
        """Its leases run out."""
        for key in [key for key, name in self.leases.items() if name == process.port.name]:
            del self.leases[key]

    def digest(self) -> int:
        """The streams and the leases."""
        return hash((self._digest, tuple(sorted(self.leases.items()))))

    def on_stored(self, stored: object) -> None:
        """The chain has no fork, ranges join, ``upto`` grows."""
        assert isinstance(stored, Stored)
        event = stored.event()
        self._digest = hash((self._digest, stored.subject, type(event).__name__, getattr(event, "upto", 0)))
        if isinstance(event, TurnBegun | TurnDone):
            self._look_at(stored, event)
            self.last_own, self.before = stored.seq, event

    def on_acked(self, seq: int) -> None:
        """A bell is only acked when its text is in a turn that ended."""
        assert seq <= self.upto, f"bell {seq} is acked, turns have ended up to {self.upto}"

    def at_the_end(self) -> None:
        """Each text is in exactly one turn, and each failed turn has its letter."""
        texts = [seq for seq, _ in self.streams.events(topology.texts("c"))]
        turns = [event for _, event in self.streams.events(topology.turn_done("c")) if isinstance(event, TurnDone)]
        dealt = [seq for turn in turns for seq in texts if turn.first <= seq <= turn.upto]
        assert dealt == texts, f"texts {texts}, in turns {dealt}"
        assert not self.bells, f"bells without work: {sorted(self.bells)}"
        assert len(texts) == self.story.texts
        assert turns[-1].tally.answers == len(turns), "an answer was not counted, or twice"
        self._look_at_letters(turns)

    def _look_at_letters(self, turns: list[TurnDone]) -> None:
        letters = [event for _, event in self.streams.events("dead.agent") if isinstance(event, DeadLetter)]
        buried = [turn.first for turn in turns if turn.outcome in _LETTERED]
        assert sorted(letter.sequence for letter in letters) == buried, f"turns without a letter: {buried}"

    def _look_at(self, stored: Stored, event: TurnBegun | TurnDone) -> None:
        assert stored.headers[EXPECTED] == str(self.last_own), "a fork"
        waiting = [seq for seq, _ in self.streams.events(topology.texts("c")) if seq > self.upto]
        assert waiting[:1] == [event.first], f"{event} does not join upto {self.upto}"
        if isinstance(event, TurnBegun):
            assert event.upto == self.upto
            assert event.last in waiting
            self._look_at_attempts(event)
        else:
            assert event.upto in waiting
            self._look_at_range(event.first, event.upto)
            self.upto = event.upto

    def _look_at_attempts(self, event: TurnBegun) -> None:
        self._look_at_range(event.first, event.last)
        assert event.attempt == (self.before.attempt + 1 if isinstance(self.before, TurnBegun) else 1)

    def _look_at_range(self, first: int, last: int) -> None:
        """A turn that was begun keeps its range; who does not see all its texts takes fewer, never more."""
        if isinstance(self.before, TurnBegun):
            assert first == self.before.first
            assert last == self.before.last or (self.story.stale_reads and last < self.before.last), (
                "another range"
            )

    def _text(self) -> None:
        self.arrived += 1
        text = InboundMessage(
            id=f"SM{self.arrived:032x}",
            at=self.loop.utc().astimezone(UTC),
            channel="default",
            conversation="c",
            account_sid=CHANNEL.account_sid,
            contact=PERSON,
            recipient=NUMBER,
            body=f"text {self.arrived}",
        )
        headers = {"Nats-Msg-Id": text.id}
        seq = self.streams.publish(topology.texts("c"), events.encode(text), headers).seq
        again = self.streams.publish(topology.texts("c"), events.encode(text), headers)  # Twilio repeats itself
        assert (again.seq, again.duplicate) == (seq, True)
        self.ring(seq)

    def _conversations(self, bus: Bus, name: str) -> Conversations:
        pace = Pace(gather_s=self.story.gather_s, reply_expiry_s=3600.0, max_answer_age_s=86_400.0)
        agent = Agent(file=AgentFile(failure="Sorry."), brain=Brain(self.story))
        turns = Turns(bus, agent, Channels((CHANNEL,)), pace=pace, in_doubt=lambda: False)
        return Conversations(bus, TableOfLeases(self.leases, name), turns)  # type: ignore[arg-type]
