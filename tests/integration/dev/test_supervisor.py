"""The supervisor over real processes, stand-ins that do one thing each."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.waiting import wait_until
from parley_dev.console import Console
from parley_dev.processes import Process
from parley_dev.readiness import AnswersHttp, HasEnded
from parley_dev.supervisor import Pace, Supervisor

pytestmark = pytest.mark.anyio

SERVE = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready)
print("pid", os.getpid(), flush=True)
server.serve_forever()
"""
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE


def server(name: str, code: str = SERVE, after: tuple[str, ...] = ()) -> Process:
    port = free_port()
    ready = AnswersHttp(f"http://127.0.0.1:{port}/readyz")
    return Process(name=name, command=(sys.executable, "-c", code, str(port)), ready=ready, after=after)


def step(name: str, code: str, after: tuple[str, ...] = ()) -> Process:
    return Process(name=name, command=(sys.executable, "-c", code), ready=HasEnded(), after=after)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Run:
    """A supervisor at work."""

    supervisor: Supervisor
    stream: StringIO
    ready: list[float] = field(default_factory=list)
    failure: str | None = None

    @property
    def shown(self) -> str:
        return self.stream.getvalue()

    def pids(self, name: str) -> list[int]:
        """The ids of all processes that ran under a name, oldest first."""
        lines = (line.split() for line in self.shown.splitlines() if line.startswith(f"{name} "))
        return [int(words[3]) for words in lines if words[2:3] == ["pid"]]


@asynccontextmanager
async def running(processes: Sequence[Process], pace: Pace | None = None) -> AsyncIterator[Run]:
    stream = StringIO()
    run = Run(Supervisor(processes, os.environ, Console(stream), pace), stream)

    async def go() -> None:
        run.failure = await run.supervisor.run(run.ready.append)

    async with asyncio.TaskGroup() as group:
        group.create_task(go())
        try:
            yield run
        finally:
            run.supervisor.kill()
            run.supervisor.stop()


async def test_the_table_starts_in_order_and_says_once_that_all_is_ready() -> None:
    first = server("first")
    async with running([first, step("step", "print('done')", ("first",)), server("last", after=("step",))]) as run:
        await wait_until(lambda: run.ready, what="all being ready")
        said = [line for line in run.shown.splitlines() if "pid" in line or "done" in line]
        assert [line.split()[0] for line in said] == ["first", "step", "last"]
    assert len(run.ready) == 1


async def test_a_stop_ends_everything_in_reverse_order() -> None:
    farewell = (
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit()))"
    )
    first = server("first", farewell + SERVE)
    async with running([first, server("last", farewell + SERVE, ("first",))]) as run:
        await wait_until(lambda: run.ready, what="all being ready")
        pids = run.pids("first") + run.pids("last")
        run.supervisor.stop()
        await wait_until(lambda: not any(map(is_alive, pids)), what="the end of all")
    assert [line.split()[0] for line in run.shown.splitlines() if "bye" in line] == ["last", "first"]
    assert run.failure is None


async def test_a_crashed_process_is_started_again() -> None:
    async with running([server("service")]) as run:
        await wait_until(lambda: run.ready, what="the service being ready")
        os.kill(run.pids("service")[0], signal.SIGKILL)
        await wait_until(lambda: len(run.pids("service")) == 2, what="another start")
        assert "service was ended by SIGKILL, starting it again in 0.5 s" in run.shown


async def test_a_step_is_done_again_after_what_it_came_after_was_started_again() -> None:
    async with running([server("first"), step("step", "print('declared')", ("first",))]) as run:
        await wait_until(lambda: run.ready, what="all being ready")
        os.kill(run.pids("first")[0], signal.SIGKILL)
        await wait_until(lambda: run.shown.count("declared") == 2, what="the step being done again")


async def test_a_process_that_refuses_to_start_ends_the_run_with_its_last_words() -> None:
    refusing = server("service", "import sys; sys.exit('PARLEY_X is not set: set it')")
    async with running([server("first"), refusing]) as run:
        await wait_until(lambda: run.failure, 20, what="the supervisor giving up")
        assert not any(map(is_alive, run.pids("first")))
    assert run.failure == "service does not start, it ended with exit code 1: PARLEY_X is not set: set it"
    assert run.shown.count("PARLEY_X is not set") == 5


async def test_a_process_that_ignores_the_stop_is_killed_after_its_grace() -> None:
    async with running([server("service", DEAF)], Pace(stop_within_s=0.3)) as run:
        await wait_until(lambda: run.ready, what="the service being ready")
        run.supervisor.stop()
        await wait_until(lambda: not is_alive(run.pids("service")[0]), 5, what="its end")
    assert "service did not end within 0.3 s and was killed" in run.shown


async def test_a_second_stop_ends_all_at_once() -> None:
    async with running([server("service", DEAF)], Pace(stop_within_s=60)) as run:
        await wait_until(lambda: run.ready, what="the service being ready")
        run.supervisor.stop()
        run.supervisor.stop()
        await wait_until(lambda: not is_alive(run.pids("service")[0]), 5, what="its end")


async def test_a_stop_during_the_wait_before_a_restart_ends_the_run_soon() -> None:
    async with running([server("service", "raise SystemExit(3)")]) as run:
        await wait_until(lambda: "starting it again in 4 s" in run.shown, 15, what="a long wait")
        run.supervisor.stop()


async def test_children_of_a_process_end_with_it() -> None:
    forking = "import subprocess, sys\nprint('pid', subprocess.Popen(['sleep', '300']).pid, flush=True)\n" + SERVE
    async with running([server("service", forking)]) as run:
        await wait_until(lambda: run.ready, what="the service being ready")
        run.supervisor.stop()
        await wait_until(lambda: not any(map(is_alive, run.pids("service"))), what="the end of both")


async def test_very_long_lines_and_bytes_that_are_no_text_are_shown() -> None:
    code = "import sys; sys.stdout.buffer.write(b'x' * 300_000 + b'\\n\\xff\\nno newline at the end')"
    async with running([step("step", code)]) as run:
        await wait_until(lambda: run.ready, what="the step being done")
    assert "x" * 300_000 in run.shown
    assert "step      | \N{REPLACEMENT CHARACTER}\n" in run.shown
    assert "step      | no newline at the end\n" in run.shown


async def test_a_command_that_does_not_exist_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    missing = Process(name="nats", command=(str(tmp_path / "nats-server"),), ready=HasEnded())
    async with running([missing]) as run:
        await wait_until(lambda: run.failure, 20, what="the supervisor giving up")
    assert run.failure is not None
    assert run.failure.endswith("nats-server cannot be started: No such file or directory")


async def test_who_is_not_ready_is_named_after_a_while() -> None:
    idle = Process(
        name="service",
        command=(sys.executable, "-c", "import time; time.sleep(60)"),
        ready=AnswersHttp(f"http://127.0.0.1:{free_port()}/readyz"),
    )
    async with running([idle], Pace(remind_every_s=0.2)) as run:
        await wait_until(lambda: "not ready after" in run.shown, what="the reminder")
        assert "not ready after 0 s: service" in run.shown
