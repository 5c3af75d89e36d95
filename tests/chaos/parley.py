"""The Parley of a run: brokers, two ingress behind one address, three agents, three egress, status, simulator."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from chaos.plan import BROKERS, CLIENT_TIMEOUT_S, SERVICES, BrokerKind
from harness.cluster import Brokers
from harness.front_door import FrontDoor, front_door
from harness.people import simulator_of
from harness.running import Running
from harness.stack import Stack, running_stack
from parley_simulator.control import SimulatorControl

SETTLE_S = 10.0
NUMBERS = ("+15550100001", "+15550100002", "+15550100003")

_WATCH_EVERY_S = 0.5
_ONCE = ("declare", "simulator", "ingress", "agent", "egress", "status")
_AGENT_FILE = Path(__file__).with_name("agent.toml")


@dataclass
class Parley:
    """All of it, and what was done to it. ``hurts``: how often each sort of process was hurt in which way.

    ``died``: who ended without being killed by us, and with what exit code.
    """

    stack: Stack
    brokers: Brokers
    door: FrontDoor
    simulator: SimulatorControl
    hurts: Counter[str] = field(default_factory=Counter)
    died: list[str] = field(default_factory=list)
    _down: set[str] = field(default_factory=set)

    def process(self, name: str) -> Running:
        """A process by its name in the plan."""
        return self.brokers.running[name] if name.startswith("nats-") else self.stack[name]

    async def kill(self, name: str, for_s: float) -> None:
        """Kills a process and starts it again later."""
        self._down.add(name)
        self.process(name).kill()
        self.hurts[f"kill {name.split('-')[0]}"] += 1
        await anyio.sleep(for_s)
        self.process(name).spawn()
        self._down.discard(name)

    async def freeze(self, name: str, for_s: float) -> None:
        """Freezes a process for a time."""
        self.process(name).pause()
        self.hurts[f"stop {name.split('-')[0]}"] += 1
        try:
            await anyio.sleep(for_s)
        finally:
            self.process(name).resume()

    def errors_logged(self) -> Counter[str]:
        """What the services logged as an error, and how often; a line that is no JSON is told as it stands."""
        found: Counter[str] = Counter()
        for name in SERVICES:
            for line in self.stack[name].output.splitlines():
                entry = _entry(line)
                if entry.get("level") in ("error", "critical"):
                    found[f"{name.split('-')[0]}: {entry.get('event')}"] += 1
        return found

    async def watch(self) -> None:
        """Starts whoever ends by itself again, as a supervisor does, and notes it; until cancelled."""
        while True:
            for name in (*SERVICES, *self.brokers.running):
                one = self.process(name)
                if name not in self._down and not one.is_alive:
                    self.died.append(f"{name} ended with {one.exit_code}")
                    one.spawn()
            await anyio.sleep(_WATCH_EVERY_S)


@asynccontextmanager
async def running_parley(directory: Path, broker: BrokerKind) -> AsyncIterator[Parley]:
    """A started Parley inside the block; all its processes end with it."""
    brokers = Brokers(directory / "brokers", len(BROKERS[broker]))
    try:
        await brokers.start()
        async with front_door() as door:
            settings = _settings(brokers.url, door.url, replicas=len(BROKERS[broker]))
            async with running_stack(directory, _ONCE, settings) as stack:
                for name in SERVICES:
                    if "-" in name:
                        await stack.add_replica(name.split("-")[0])
                door.backends = (stack.url("ingress"), stack.url("ingress-2"))
                async with simulator_of(stack) as simulator:
                    yield Parley(stack, brokers, door, simulator)
    finally:
        with anyio.CancelScope(shield=True):
            await brokers.stop()


def _entry(line: str) -> dict[str, str]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {"level": "error", "event": line[:80]}
    return entry if isinstance(entry, dict) else {}


def _settings(nats_url: str, public_url: str, *, replicas: int) -> dict[str, str]:
    return {
        "NATS_URL": nats_url,
        "PARLEY_STREAM_REPLICAS": str(replicas),
        "PARLEY_PUBLIC_URL": public_url,
        "TWILIO_PHONE_NUMBER": ",".join(NUMBERS),
        "PARLEY_AGENT_FILE": str(_AGENT_FILE),
        "PARLEY_GATHER_S": "0.02",
        "PARLEY_SENDER_MPS": "1000",
        "PARLEY_SETTLE_S": f"{SETTLE_S:g}",
        "PARLEY_TWILIO_TIMEOUT_S": f"{CLIENT_TIMEOUT_S:g}",
        "PARLEY_ACK_BUDGET_S": "4",
        "PARLEY_DAILY_ANSWERS_PER_CONTACT": "0",
    }
