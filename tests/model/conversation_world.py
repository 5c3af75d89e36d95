"""Two agents, three texts, one conversation: the real drains over streams whose every answer is chosen.

A member of staff may take the conversation and hand it back at any moment.

What must hold is looked at whenever something is stored or acked, and once more when all has come to rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from model.choices import Chooser
from model.ports import Effect, Port
from model.streams import EXPECTED, Streams
from model.virtual import VirtualLoop
from model.world import Process, Step, World
from parley_agent.conversations import Conversations
from parley_agent.turns import Pace, Turns
from parley_brains.agent_file import AgentFile, WhileThinking
from parley_brains.agents import Agent
from parley_brains.brain import Message, Said, Turn
from parley_common import events, topology
from parley_common.bus import Bus, Stored
from parley_common.channels import Channel, Channels
from parley_common.events import (
    ConversationReleased,
    ConversationTaken,
    DeadLetter,
    InboundMessage,
    OwnEvent,
    TurnBegun,
    TurnDone,
    TurnOutcome,
)
from parley_common.identity import Identity
from parley_common.takeover import release, take

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
    ``takeovers``: how often the conversation is taken, and handed back, by somebody. ``thinks_s``: how long the
    brain takes. ``restarts``: whether a text that comes meanwhile has the turn begin anew.
    """

    texts: int = 3
    acts: bool = True
    fails: bool = False
    gather_s: float = 0.0
    stale_reads: bool = True
    takeovers: int = 0
    thinks_s: float = 0.0
    restarts: bool = False


class Brain:
    """Says what the person said, or fails."""

    def __init__(self, story: Story) -> None:
        self.acts = story.acts
        self._fails = story.fails
        self._thinks_s = story.thinks_s

    async def answer(self, turn: Turn) -> Said:
        """Answers."""
        if self._thinks_s:
            await asyncio.sleep(self._thinks_s)
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


class Staff(Port):
    """What a takeover is made through: whatever it asks comes true at once."""

    async def call(self, label: str, ways: Mapping[str, Effect]) -> Any:
        """Answers."""
        return next(iter(ways.values()))()


class ConversationWorld(World):
    """The world of the conversation chain."""

    def __init__(self, loop: VirtualLoop, chooser: Chooser, story: Story) -> None:
        self.story = story
        self.arrived = 0
        self.leases: dict[str, str] = {}
        self.upto = self.last_own = 0
        self.before: OwnEvent | None = None
        self.taken = False
        self.takeovers = 0
        self.restarted = 0
        self._staff = Staff("staff", Streams(loop.utc), lambda _reply, _word: None)
        self._digest = 0
        super().__init__(loop, chooser)
        self._staff.streams = self.streams

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
        if self.taken:
            yield ("staff hands it back", self._hand_back)
        elif self.takeovers < self.story.takeovers:
            yield ("staff takes it", self._take_over)

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
        if isinstance(event, OwnEvent):
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
        today = turns[-1].tally.day
        asked = [turn for turn in turns if turn.outcome is not TurnOutcome.TAKEN and turn.tally.day == today]
        assert turns[-1].tally.answers == len(asked), "an answer was not counted, or twice"
        self._look_at_letters(turns)

    def _look_at_letters(self, turns: list[TurnDone]) -> None:
        letters = [event for _, event in self.streams.events("dead.agent") if isinstance(event, DeadLetter)]
        buried = [turn.first for turn in turns if turn.outcome in _LETTERED]
        assert sorted(letter.sequence for letter in letters) == buried, f"turns without a letter: {buried}"

    def _look_at(self, stored: Stored, event: OwnEvent) -> None:
        assert stored.headers[EXPECTED] == str(self.last_own), "a fork"
        if isinstance(event, ConversationTaken | ConversationReleased):
            assert event.upto == self.upto
            self.taken = isinstance(event, ConversationTaken)
            return
        assert (event.tally.taken is not None) is self.taken, "a turn lost who answers"
        waiting = [seq for seq, _ in self.streams.events(topology.texts("c")) if seq > self.upto]
        assert waiting[:1] == [event.first], f"{event} does not join upto {self.upto}"
        if isinstance(event, TurnBegun):
            assert not self.taken, "a brain is asked though a person answers"
            assert event.upto == self.upto
            assert event.last in waiting
            self._look_at_attempts(event)
        else:
            assert event.upto in waiting
            assert (event.outcome is TurnOutcome.TAKEN) is self.taken, "two answer"
            assert not (self.taken and event.messages), "two answer"
            self._look_at_range(event.first, event.upto)
            self.upto = event.upto

    def _look_at_attempts(self, event: TurnBegun) -> None:
        before = self.before
        if not isinstance(before, TurnBegun):
            assert event.attempt == 1
        elif self.story.restarts and event.last > before.last:
            self.restarted += 1
            assert (event.first, event.attempt) == (before.first, before.attempt)
        else:
            self._look_at_range(event.first, event.last)
            assert event.attempt == before.attempt + 1

    def _look_at_range(self, first: int, last: int) -> None:
        """A turn that was begun keeps its range; who does not see all its texts takes fewer, never more."""
        if isinstance(self.before, TurnBegun):
            assert first == self.before.first
            assert last == self.before.last or (self.story.stale_reads and last < self.before.last), (
                "another range"
            )

    def _take_over(self) -> None:
        self.takeovers += 1
        within = timedelta(days=1)
        self.loop.create_task(take(self._staff.bus(), "default", "c", by="alice", within=within))

    def _hand_back(self) -> None:
        self.loop.create_task(release(self._staff.bus(), "default", "c"))

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
        while_thinking = WhileThinking.RESTART if self.story.restarts else WhileThinking.NEXT
        file = AgentFile(failure="Sorry.", while_thinking=while_thinking)
        agent = Agent(file=file, brain=Brain(self.story))
        turns = Turns(
            bus,
            agent,
            Channels((CHANNEL,)),
            identity=Identity(b"0" * 32),
            pace=pace,
            in_doubt=lambda: False,
        )
        return Conversations(bus, TableOfLeases(self.leases, name), turns)  # type: ignore[arg-type]
