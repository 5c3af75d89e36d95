"""Keeps the processes of the table running, and ends them in order.

Knows neither what they do nor where they listen, only their rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from parley_dev.child import Child
from parley_dev.console import Console
from parley_dev.processes import Process, stop_waves
from parley_dev.readiness import is_ready
from parley_dev.restarts import Exit, Restarts

OnAllReady = Callable[[float], None]
"""Called once with the seconds it took."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long the supervisor waits for what."""

    probe_every_s: float = 0.05
    remind_every_s: float = 15.0
    stop_within_s: float = 15.0


class Supervisor:
    """Runs the processes until it is told to stop or one of them makes no sense to go on with."""

    def __init__(
        self,
        processes: Sequence[Process],
        environment: Mapping[str, str],
        console: Console,
        pace: Pace | None = None,
    ) -> None:
        self._processes = tuple(processes)
        self._environment = environment
        self._console = console
        self._pace = pace or Pace()
        self._children: dict[str, Child] = {}
        self._ready: set[str] = set()
        self._changed = asyncio.Condition()
        self._ending = asyncio.Event()
        self._failure: str | None = None

    async def run(self, on_all_ready: OnAllReady) -> str | None:
        """Returns why it gave up, None where it was told to stop. Nothing runs any more then."""
        keepers = [asyncio.create_task(self._keep(process)) for process in self._processes]
        waiting = asyncio.create_task(self._announce(on_all_ready))
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait([ending, *keepers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._ending.set()
            waiting.cancel()
            await self._stop_all()
            for keeper in keepers:
                keeper.cancel()
            ended = await asyncio.gather(*keepers, waiting, ending, return_exceptions=True)
            self.kill()
        for result in ended:
            if isinstance(result, Exception):
                raise result
        return self._failure

    def stop(self) -> None:
        """Ends all in order; told so again, at once."""
        if self._ending.is_set():
            self.kill()
        else:
            self._console.say("stopping; ^C again ends all at once")
            self._ending.set()

    def kill(self) -> None:
        """Ends whatever still runs without asking."""
        for child in self._children.values():
            child.signal(signal.SIGKILL)

    async def _keep(self, process: Process) -> None:
        restarts = Restarts()
        while not self._ending.is_set():
            await self._until(lambda: self._ready.issuperset(process.after))
            ended = await self._run_once(process)
            if self._ending.is_set():
                return
            if process.is_step and ended.code == 0:
                await self._stay_done(process)
                continue
            restarts = restarts.after(ended)
            if restarts.is_hopeless:
                self._give_up(process, ended)
                return
            self._console.say(f"{process.name} {_words(ended)}, starting it again in {restarts.delay_s:g} s")
            await self._pause(restarts.delay_s)

    async def _stay_done(self, process: Process) -> None:
        """A step counts as done until what it came after is gone: a new broker may have forgotten its words."""
        await self._note(process, ready=True)
        await self._until(lambda: not self._ready.issuperset(process.after))
        await self._note(process, ready=False)

    async def _pause(self, delay_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), delay_s)

    async def _run_once(self, process: Process) -> Exit:
        name, started_s = process.name, time.monotonic()
        child = await Child.start(
            process.command, self._environment, lambda line: self._console.pass_on(name, line)
        )
        self._children[name] = child
        if self._ending.is_set():  # its wave may be over
            child.signal(signal.SIGKILL)
        probing = asyncio.create_task(self._probe(process))
        code = await child.wait()
        probing.cancel()
        was_ready = name in self._ready
        await self._note(process, ready=False)
        return Exit(code=code, up_s=time.monotonic() - started_s, was_ready=was_ready)

    async def _probe(self, process: Process) -> None:
        while not await is_ready(process.ready):
            await asyncio.sleep(self._pace.probe_every_s)
        await self._note(process, ready=True)

    async def _note(self, process: Process, *, ready: bool) -> None:
        async with self._changed:
            (self._ready.add if ready else self._ready.discard)(process.name)
            self._changed.notify_all()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)

    async def _announce(self, on_all_ready: OnAllReady) -> None:
        started_s = time.monotonic()
        names = {process.name for process in self._processes}
        while True:
            try:
                async with asyncio.timeout(self._pace.remind_every_s):
                    await self._until(lambda: self._ready >= names)
            except TimeoutError:
                waited_s = time.monotonic() - started_s
                missing = ", ".join(sorted(names - self._ready))
                self._console.say(f"not ready after {waited_s:.0f} s: {missing}")
            else:
                return on_all_ready(time.monotonic() - started_s)

    def _give_up(self, process: Process, ended: Exit) -> None:
        words = self._children[process.name].last_line
        self._failure = f"{process.name} does not start, it {_words(ended)}" + (f": {words}" if words else "")
        self._ending.set()

    async def _stop_all(self) -> None:
        for wave in stop_waves(self._processes):
            await asyncio.gather(*(self._stop(name) for name in wave if name in self._children))

    async def _stop(self, name: str) -> None:
        if not await self._children[name].stop(self._pace.stop_within_s):
            self._console.say(f"{name} did not end within {self._pace.stop_within_s:g} s and was killed")


def _words(ended: Exit) -> str:
    if ended.code < 0:
        return f"was ended by {signal.Signals(-ended.code).name}"
    return f"ended with exit code {ended.code}"
