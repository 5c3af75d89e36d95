"""One process under test: started as ``make run`` would, its output in a file, hurt in all the ways tests need.

Signals are sent at once; what takes time is awaited, so that a test's own event loop goes on turning.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.waiting import wait_until
from parley_dev.processes import Process
from parley_dev.readiness import is_ready
from parley_dev.tether import tethered


class Running:
    """A row of the process table as a process; may be started again after it was killed."""

    def __init__(self, row: Process, environment: Mapping[str, str], log: Path) -> None:
        self.row = row
        self.environment = dict(environment)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process, running or the last that ran."""
        assert self._process is not None, f"{self.row.name} was never started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, minus the signal's number where a signal ended it; None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def is_alive(self) -> bool:
        """Whether it runs, be it frozen."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """All it has written, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def memory_mib(self) -> float:
        """What of it is in memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return round(int(found[1]) / 1024, 1)

    def spawn(self) -> None:
        """Starts it without waiting; nothing of it outlives this process."""
        assert not self.is_alive, f"{self.row.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                tethered(self.row.command),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def start(self, timeout_s: float = 20.0) -> None:
        """Starts it and waits until it is ready."""
        self.spawn()
        await self.ready(timeout_s)

    async def ready(self, timeout_s: float = 20.0) -> None:
        """Waits until it can do its work, or, if it is a step, until it has ended well."""
        await wait_until(self._is_ready, timeout_s, what=f"{self.row.name} being ready")

    async def is_ready(self) -> bool:
        """Whether it can do its work now."""
        return self.is_alive and await is_ready(self.row.ready)

    def pause(self) -> None:
        """Freezes it: it holds its connections and answers nothing."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Ends a freeze."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it as a crash would, frozen or not; it is gone on return."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=10)

    async def stop(self, grace_s: float = 10.0) -> None:
        """Ends it in order and fails the test if that takes longer than ``grace_s``."""
        self.resume()
        self.signal(signal.SIGTERM)
        await wait_until(lambda: not self.is_alive, grace_s, what=f"the end of {self.row.name} after SIGTERM")

    async def restart(self) -> None:
        """Crashes it and starts it again on the same port and data."""
        self.kill()
        await self.start()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal if it still runs."""
        if self.is_alive:
            os.kill(self.pid, number)

    async def _is_ready(self) -> bool:
        code = self.exit_code
        if code is None:
            return await self.is_ready()
        ended_well = self.row.is_step and code == 0
        assert ended_well, f"{self.row.name} ended with {code}:\n{self.output[-2000:]}"
        return True
