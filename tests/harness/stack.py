"""Parley as real processes on ports of their own, in a directory of the test's own.

``running_stack`` gives a started stack to an async test, ``blocking_stack`` to one without an event loop.
Nothing is left behind, however the test ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import anyio
from anyio.from_thread import start_blocking_portal

from harness.ports import free_port
from harness.running import Running
from parley_common.declare import declare_all
from parley_common.shared_settings import read_common, read_limits
from parley_dev.addresses import HOST, VARIABLES
from parley_dev.data_dir import read_secrets
from parley_dev.plan import Plan, make_plan
from parley_dev.processes import BROKER, DECLARE, SERVICES, stop_waves, table
from parley_dev.readiness import AnswersHttp

BROKER_ONLY = (BROKER, DECLARE)
EVERYTHING = (BROKER, DECLARE, "simulator", *SERVICES)

HASH_KEY = "k" * 32
"""What a stack is filed under unless told otherwise, so that a test can find what stands on its broker."""

_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
_GRACE_S = 15.0
_TAIL = 3_000


class Stack:
    """The processes of one test. The broker is ``stack["nats"]``, a second agent ``stack["agent-2"]``."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.plan = _plan(directory, settings or {})
        self._rows = {row.name: row for row in table(self.plan)}
        self._running: dict[str, Running] = {}

    def __getitem__(self, name: str) -> Running:
        """A process that was started."""
        return self._running[name]

    @property
    def environment(self) -> Mapping[str, str]:
        """What every process is started with."""
        return self.plan.environment

    @property
    def nats_url(self) -> str:
        """The broker's address."""
        return self.environment["NATS_URL"]

    @property
    def running(self) -> tuple[Running, ...]:
        """All that was started, replicas too."""
        return tuple(self._running.values())

    def url(self, name: str) -> str:
        """Where a service or its replica answers."""
        if name not in self._running:
            return self.plan.url(name)
        ready = self._running[name].row.ready
        assert isinstance(ready, AnswersHttp), f"{name} does not speak HTTP"
        return ready.url.removesuffix("/readyz")

    async def start(self, names: Sequence[str] = EVERYTHING) -> None:
        """Starts these, in the table's order, each after those it needs; returns when all are ready."""
        chosen = [row for row in self._rows.values() if row.name in names]
        for row in chosen:
            for earlier in row.after:
                if earlier in self._running:
                    await self._running[earlier].ready()
            self._add(row.name).spawn()
        for row in chosen:
            await self._running[row.name].ready()

    async def add_replica(self, name: str, settings: Mapping[str, str] | None = None) -> Running:
        """One more process of a service, on a port of its own."""
        number = 1 + sum(other.split("-")[0] == name for other in self._running)
        replica = self.prepare(f"{name}-{number}", name, settings or {})
        await replica.start()
        return replica

    def prepare(self, name: str, service: str, settings: Mapping[str, str]) -> Running:
        """A process of a service under a name and on a port of its own, not started yet."""
        port = free_port()
        ready = AnswersHttp(f"http://{HOST}:{port}/readyz")
        row = replace(self._rows[service], name=name, ready=ready)
        environment = {**self.environment, VARIABLES[service]: str(port), **settings}
        self._running[name] = Running(row, environment, self._log(name))
        return self._running[name]

    async def declare(self) -> None:
        """The declare step without a process."""
        common = read_common(self.environment)
        await declare_all(common.broker, read_limits(self.environment), common.hash_key)

    async def repeat(self, step: str, settings: Mapping[str, str]) -> None:
        """Runs a step once more, as an operator does with other settings."""
        await Running(self._rows[step], {**self.environment, **settings}, self._log(step)).start()

    async def stop(self) -> None:
        """Ends everything, broker last; whoever does not end within the grace period is killed."""
        try:
            for wave in stop_waves(tuple(self._rows.values())):
                members = [one for name, one in self._running.items() if name.split("-")[0] in wave]
                await _end(members)
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends everything at once."""
        for one in self._running.values():
            one.kill()

    def tracebacks(self) -> dict[str, str]:
        """The end of every log that holds a traceback, by the name of its process."""
        return {name: one.output[-_TAIL:] for name, one in self._running.items() if "Traceback" in one.output}

    def show_logs(self) -> None:
        """Writes the end of every log, for pytest to show beside a failure."""
        for name, one in self._running.items():
            sys.stdout.write(f"\n----- {name} ({one.log}), exit code {one.exit_code}\n{one.output[-_TAIL:]}\n")

    def _add(self, name: str) -> Running:
        assert name not in self._running, f"{name} was started already: use stack[{name!r}].start()"
        self._running[name] = Running(self._rows[name], self.environment, self._log(name))
        return self._running[name]

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"


@asynccontextmanager
async def running_stack(
    directory: Path, names: Sequence[str] = EVERYTHING, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Stack]:
    """A stack that runs inside the block. ``settings`` go on top of those of ``make run``."""
    stack = Stack(directory, settings)
    try:
        await stack.start(names)
        yield stack
    except BaseException:
        stack.kill()
        stack.show_logs()
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await stack.stop()


@contextmanager
def blocking_stack(
    directory: Path, names: Sequence[str] = EVERYTHING, settings: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """The same for a test without an event loop."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_stack(directory, names, settings)) as stack,
    ):
        yield stack


def _plan(directory: Path, settings: Mapping[str, str]) -> Plan:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    ports = {variable: str(free_port()) for variable in VARIABLES.values()}
    data_dir = directory / "data"
    data_dir.mkdir(exist_ok=True)
    given = {**inherited, "PARLEY_LOG_FORMAT": "json", "PARLEY_HASH_KEY": HASH_KEY, **ports, **settings}
    return make_plan(given, data_dir, read_secrets(data_dir))


async def _end(members: Sequence[Running]) -> None:
    async with anyio.create_task_group() as group:
        for one in members:
            group.start_soon(_end_one, one)


async def _end_one(one: Running) -> None:
    try:
        await one.stop(_GRACE_S)
    except AssertionError as error:
        sys.stdout.write(f"{error}; it was killed\n")
        one.kill()
