"""The explorer: processes, their calls, doorbells and time, one step after the other as a chooser says.

At each step there is a usual way on and every other thing that could happen instead: a call that fails, whose
ack is lost or whose answer comes late, another process that goes first, a crash, a bell that rings again.
Left to its usual ways a world comes to an end; what must hold then is for the subclass to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from model.choices import Chooser
from model.ports import Call, Port
from model.streams import Streams
from model.virtual import VirtualLoop
from parley_common.bus import Bus
from parley_common.doorbells import Bell, Doorbells

MOST_STEPS = 1_500
LEAP_S = 2.0

Step = tuple[str, Callable[[], None]]


@dataclass(eq=False)
class Process:
    """One process: its port, its bus and its doorbells. A frozen one does nothing until it wakes."""

    port: Port
    bus: Bus
    doorbells: Doorbells
    frozen: bool = False


@dataclass(eq=False)
class Ringing:
    """A bell at the broker: not acked yet, not to be rung again before ``at_s``; ``holders`` have it."""

    seq: int
    at_s: float = 0.0
    holders: set[str] = field(default_factory=set)


class World:
    """A world with some processes. Subclasses make the processes and say what else may happen."""

    processes = 2
    conversation = "c"

    def __init__(self, loop: VirtualLoop, chooser: Chooser) -> None:
        self.loop = loop
        self.chooser = chooser
        self.streams = Streams(loop.utc, self.on_stored)
        self.bells: dict[int, Ringing] = {}
        self._acked: list[int] = []
        self.trace: list[str] = []
        self.acting = ""
        self._names = count(1)
        self._last: Process | None = None
        self._crashed: list[Process] = []
        self.alive = [self.start(f"w{next(self._names)}") for _ in range(self.processes)]

    def run(self) -> None:
        """Runs to the end; every complaint comes with what happened before."""
        try:
            for _ in range(MOST_STEPS):
                self.loop.settle()
                steps = list(self.steps())
                if not steps:
                    break
                label, do = steps[self.chooser.pick(len(steps), self.fingerprint)]
                self.trace.append(label)
                do()
            else:
                raise AssertionError("it goes on for ever")
            self.at_the_end()
        except AssertionError as error:
            raise AssertionError("\n".join((str(error), "after:", *self.trace[:150]))) from None
        finally:
            for process in self.alive:
                process.port.alive = False
            self.loop.abandon()

    def steps(self) -> Iterator[Step]:
        """What may happen now, the usual way on first."""
        awake = sorted((p for p in self.alive if not p.frozen), key=lambda process: process is not self._last)
        calls = [(process, call) for process in awake for call in process.port.calls]
        usual = [self._usual(process, call) for process, call in calls if call.answer is None]
        usual += [*self._rings(again=False), *self.arrivals()]
        usual += [self._usual(process, call) for process, call in calls if call.answer is not None]
        if not usual and awake and self.is_unfinished():
            usual = [("time passes", self._pass_time)]
        usual += [(f"{p.port.name} wakes up", lambda p=p: self._wake(p)) for p in self.alive if p.frozen]  # type: ignore[misc]
        yield from usual
        if usual:
            yield from (step for process, call in calls for step in self._unusual(process, call))
            yield from self._rings(again=True)
            yield from (
                (f"the ack of bell {seq} was lost", lambda seq=seq: self._lose_ack(seq)) for seq in self._acked
            )
            yield from self.events()
            yield from ((f"{p.port.name} crashes", lambda p=p: self.crash(p)) for p in self.alive)
            if usual[0][0] != "time passes":
                yield ("time passes meanwhile", self._pass_time)

    def is_unfinished(self) -> bool:
        """Whether anything is to come yet."""
        return bool(self.bells) or any(
            process.doorbells.conversations for process in self.alive if not process.frozen
        )

    def ring(self, seq: int) -> None:
        """A bell rings until it is acked."""
        self.bells[seq] = Ringing(seq)

    def crash(self, process: Process) -> None:
        """The process is gone with all it knew; another starts, its bells ring again."""
        process.port.alive = False
        self._crashed.append(process)
        self.alive[self.alive.index(process)] = self.start(f"w{next(self._names)}")
        for ringing in self.bells.values():
            ringing.holders.discard(process.port.name)

    def new_process(self, name: str, drain: Callable[[Bus], Callable[..., object]]) -> Process:
        """A process that drains conversations as ``drain`` says of its bus."""
        port = Port(name, self.streams, lambda reply, word: self._answered(name, int(reply), word))
        bus = port.bus()
        return Process(port, bus, Doorbells(bus, drain(bus)))  # type: ignore[arg-type]

    def fingerprint(self) -> int:
        """The same wherever the same can follow: what each process was answered, and the streams."""
        held = tuple((b.seq, b.at_s, tuple(sorted(b.holders))) for b in self.bells.values())
        ports = tuple(
            (p.port.name, p.port.seen, p.frozen, tuple(c.label for c in p.port.calls)) for p in self.alive
        )
        streams = tuple((name, len(messages)) for name, messages in sorted(self.streams.stored.items()))
        last = self._last.port.name if self._last else ""
        return hash((self.loop.now_s, held, tuple(self._acked), ports, streams, last, self.digest()))

    def _usual(self, process: Process, call: Call) -> Step:
        name = f"{process.port.name}: {call.label}"
        if call.answer is not None:
            return (f"{name} is answered late", lambda: self._answer(process, call))
        return (name, lambda: self._end(process, call, next(iter(call.ways))))

    def _unusual(self, process: Process, call: Call) -> Iterator[Step]:
        name = f"{process.port.name}: {call.label}"
        if call.answer is None:
            first, *others = call.ways
            for way in others:
                yield (f"{name} ({way})", lambda way=way: self._end(process, call, way))  # type: ignore[misc]
            yield (f"{name} happens, the answer takes long", lambda: self._take_effect(process, call, first))
            yield (f"{name} happens, then {process.port.name} freezes", lambda: self._freeze(process, call, first))
            yield (f"{process.port.name} freezes before {call.label}", lambda: self._freeze(process, None, ""))

    def _freeze(self, process: Process, call: Call | None, way: str) -> None:
        if call is not None:
            self._take_effect(process, call, way)
        process.frozen = True

    def _wake(self, process: Process) -> None:
        process.frozen = False
        self._last = process

    def _take_effect(self, process: Process, call: Call, way: str) -> None:
        self.acting = process.port.name
        call.take_effect(way)
        process.port.seen = hash((process.port.seen, call.label, way, self.loop.now_s, self.digest()))

    def _answer(self, process: Process, call: Call) -> None:
        process.port.calls.remove(call)
        process.port.seen = hash((process.port.seen, call.label, "answer"))
        self._last = process
        call.be_answered()

    def _end(self, process: Process, call: Call, way: str) -> None:
        self._take_effect(process, call, way)
        self._answer(process, call)

    def _rings(self, *, again: bool) -> Iterator[Step]:
        for bell in self.bells.values():
            for process in self.alive:
                name = process.port.name
                if (
                    process.frozen
                    or bell.at_s > self.loop.now_s
                    or name in bell.holders
                    or bool(bell.holders) is not again
                ):
                    continue
                yield (f"bell {bell.seq} rings at {name}", lambda b=bell, p=process: self._ring_at(p, b))  # type: ignore[misc]

    def _ring_at(self, process: Process, bell: Ringing) -> None:
        bell.holders.add(process.port.name)
        process.port.seen = hash((process.port.seen, "bell", bell.seq))
        self.loop.create_task(process.doorbells.ring(self.conversation, Bell(seq=bell.seq, reply=str(bell.seq))))

    def _answered(self, name: str, seq: int, word: str) -> None:
        bell = self.bells.get(seq)
        self.trace.append(f"{name} says {word.split()[0]} of bell {seq}")
        if word == "+ACK":
            self.on_acked(seq)
            if self.bells.pop(seq, None) is not None:
                self._acked.append(seq)
        elif word.startswith("-NAK") and bell is not None:
            bell.holders.discard(name)
            bell.at_s = self.loop.now_s + 1.0

    def _lose_ack(self, seq: int) -> None:
        self._acked.remove(seq)
        self.ring(seq)

    def _pass_time(self) -> None:
        """As far as the next timer and a while at least; whoever holds a bell and does nothing has lost it."""
        self.loop.pass_time(max(self.loop.next_timer_s or 0.0, LEAP_S))
        idle = {p.port.name for p in self.alive if p.frozen or not p.doorbells.conversations}
        for bell in self.bells.values():
            bell.holders -= idle
        for process in self.alive:
            if process.frozen:
                self.on_thought_dead(process)

    def digest(self) -> int:
        """What else the world is about, as a number."""
        return 0

    def start(self, name: str) -> Process:
        """Starts a process."""
        raise NotImplementedError

    def arrivals(self) -> Iterator[Step]:
        """What comes from outside once nothing else is to be done, and may come earlier."""
        return iter(())

    def events(self) -> Iterator[Step]:
        """What else may happen."""
        return iter(())

    def on_thought_dead(self, process: Process) -> None:
        """A frozen process has renewed nothing for a while."""

    def on_stored(self, stored: object) -> None:
        """A message was stored."""

    def on_acked(self, seq: int) -> None:
        """A bell was acked."""

    def at_the_end(self) -> None:
        """Everything has come to rest."""
