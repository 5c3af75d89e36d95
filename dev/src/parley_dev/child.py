"""One running process: started in its own session, its output passed on line by line, stopped within a bound."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping

from parley_dev.tether import tethered

_CHUNK = 65_536
_OUTPUT_ENDS_WITHIN_S = 1.0

OnLine = Callable[[str], None]


class Child:
    """A process of its own session: the terminal's ^C does not reach it, and its whole group can be signalled."""

    def __init__(self, process: asyncio.subprocess.Process, on_line: OnLine) -> None:
        self._process = process
        self._on_line = on_line
        self._ended = asyncio.create_task(self._follow())
        self.last_line = ""

    @classmethod
    async def start(cls, command: tuple[str, ...], environment: Mapping[str, str], on_line: OnLine) -> Child:
        """Starts it, tied to this process."""
        process = await asyncio.create_subprocess_exec(
            *tethered(command),
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(process, on_line)

    @property
    def pid(self) -> int:
        """The process's id, which is also its group's."""
        return self._process.pid

    async def wait(self) -> int:
        """The exit code, minus the signal's number where a signal ended it."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace_s: float) -> bool:
        """Asks it to end, ends it after the grace period; whether it ended by itself."""
        self.signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._ended], timeout=grace_s)
        if not done:
            self.signal(signal.SIGKILL)
            await self.wait()
        return bool(done)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process and what it started."""
        if self._ended.done():  # its id may belong to somebody else by now
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def _follow(self) -> int:
        reading = asyncio.create_task(self._pass_on())
        code = await self._process.wait()
        # A grandchild may hold the pipe open; it goes with the group.
        await asyncio.wait([reading], timeout=_OUTPUT_ENDS_WITHIN_S)
        self.signal(signal.SIGKILL)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return code

    async def _pass_on(self) -> None:
        """Splits lines here: a stream's own ``readline`` gives up on very long ones."""
        stream = self._process.stdout
        pending = b""
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                self._pass_on_line(line)
        if pending:
            self._pass_on_line(pending)

    def _pass_on_line(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        if text.strip():
            self.last_line = text.strip()
        self._on_line(text)
