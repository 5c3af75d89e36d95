"""The shell of every service, as a process: health, an orderly end, and sentences instead of tracebacks."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from harness.ports import free_port
from harness.running import Running
from harness.waiting import wait_until
from parley_dev.processes import Process
from parley_dev.readiness import AnswersHttp

pytestmark = pytest.mark.anyio

PROGRAM = Path(__file__).with_name("shell_service.py")
KEY = "0123456789abcdef0123456789abcdef"


class Shell(Running):
    """The service as a process on a port of its own."""

    def __init__(self, directory: Path, **settings: str) -> None:
        port = int(settings.setdefault("SHELL_PORT", str(free_port())))
        self.url = f"http://127.0.0.1:{port}"
        row = Process(
            name="shell", command=(sys.executable, str(PROGRAM)), ready=AnswersHttp(f"{self.url}/readyz")
        )
        environment = {"PATH": os.environ["PATH"], "PARLEY_HASH_KEY": KEY, "PARLEY_GRACE_S": "5", **settings}
        super().__init__(row, environment, directory / "shell.log")

    def events(self) -> list[str]:
        """What it has logged, by the words of the event."""
        return [json.loads(line)["event"] for line in self.output.splitlines() if line.startswith("{")]

    def grace_s(self) -> float:
        """How long its work was given to end."""
        (line,) = (line for line in self.output.splitlines() if '"work ended"' in line)
        return float(json.loads(line)["grace_s"])

    async def ended(self, timeout_s: float = 10.0) -> int:
        """Waits for its end; returns the exit code."""
        await wait_until(lambda: not self.is_alive, timeout_s, what="the end of the process")
        assert self.exit_code is not None
        return self.exit_code


Start = Callable[..., Awaitable[Shell]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a shell and waits until it answers."""
    started: list[Shell] = []

    async def begin(**settings: str) -> Shell:
        shell = Shell(tmp_path, **settings)
        started.append(shell)
        shell.spawn()

        async def answers() -> bool:
            assert shell.is_alive, shell.output
            return (await get(shell, "/livez")) is not None

        await wait_until(answers, what="/livez")
        return shell

    yield begin
    for shell in started:
        shell.kill()


async def get(shell: Shell, path: str) -> httpx.Response | None:
    async with httpx.AsyncClient(base_url=shell.url) as http:
        try:
            return await http.get(path, timeout=2.0)
        except httpx.TransportError:
            return None


async def json_of(shell: Shell, path: str) -> tuple[int, Any]:
    response = await get(shell, path)
    assert response is not None
    return response.status_code, response.json()


async def test_it_is_alive_and_ready_once_its_work_began(start: Start) -> None:
    shell = await start()
    await shell.ready()
    assert await json_of(shell, "/livez") == (200, {"alive": True})
    assert await json_of(shell, "/readyz") == (200, {"ready": True, "problems": []})


async def test_while_its_work_waits_it_is_alive_and_says_why_it_is_not_ready(start: Start) -> None:
    shell = await start(SHELL_START="waits")
    assert await json_of(shell, "/livez") == (200, {"alive": True})
    assert await json_of(shell, "/readyz") == (503, {"ready": False, "problems": ["waiting to begin"]})


async def test_prometheus_can_read_its_metrics(start: Start) -> None:
    response = await get(await start(), "/metrics")
    assert response is not None
    assert response.headers["content-type"].startswith("text/plain")
    assert "python_info" in response.text


async def test_a_services_own_routes_are_served(start: Start) -> None:
    response = await get(await start(), "/hello")
    assert response is not None
    assert response.text == "hello"
    assert "server" not in response.headers


@pytest.mark.parametrize("start_of_work", ["", "waits"], ids=["at work", "still starting"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_signal_ends_its_work_in_order(start: Start, number: signal.Signals, start_of_work: str) -> None:
    shell = await start(SHELL_START=start_of_work)
    if not start_of_work:
        await shell.ready()
    shell.signal(number)
    await shell.ended(4.0)
    assert shell.events()[-2:] == ["work ended", "stopped"]


async def test_the_end_that_kubernetes_asks_for_is_no_failure(start: Start) -> None:
    shell = await start()
    shell.signal(signal.SIGTERM)
    assert await shell.ended() in (0, -signal.SIGTERM)
    assert "Traceback" not in shell.output


async def test_after_sigterm_nobody_new_is_taken_and_what_is_under_way_is_answered(
    start: Start, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    shell = await start(SHELL_GATE=str(gate), PARLEY_GRACE_S="30")
    await shell.ready()
    asked_at = time.monotonic()
    async with httpx.AsyncClient(base_url=shell.url, timeout=30.0) as http:
        under_way = asyncio.create_task(http.get("/slow"))
        await wait_until(lambda: "slow request began" in shell.events(), what="the request being under way")
        shell.signal(signal.SIGTERM)

        async def refuses() -> bool:
            return await get(shell, "/livez") is None

        await wait_until(refuses, 20.0, what="new connections being refused")
        await asyncio.sleep(1.0)
        gate.touch()
        assert (await under_way).text == "slow"
    assert await shell.ended() in (0, -signal.SIGTERM)
    assert 30.0 - (time.monotonic() - asked_at) <= shell.grace_s() <= 29.0, "the request took of the work's time"
    assert shell.events()[-2:] == ["work ended", "stopped"]


async def test_an_interrupt_ends_without_a_traceback(start: Start) -> None:
    shell = await start()
    shell.signal(signal.SIGINT)
    await shell.ended()
    assert "Traceback" not in shell.output


async def test_work_that_cannot_start_ends_the_service(start: Start, tmp_path: Path) -> None:
    shell = Shell(tmp_path, SHELL_START="fails")
    shell.spawn()
    assert await shell.ended() != 0
    assert "start failed" in shell.events()
    assert "no work today" in shell.output


class Receiver(BaseHTTPRequestHandler):
    """Counts the exports of an OTLP exporter."""

    received: list[bytes]

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library names it so
        """Quiet."""


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, list[bytes]]]:
    received: list[bytes] = []
    handler = type("Handler", (Receiver,), {"received": received})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


async def test_spans_that_were_not_sent_yet_are_sent_at_the_end(start: Start) -> None:
    async with receiver() as (url, received):
        shell = await start(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_BSP_SCHEDULE_DELAY="60000")
        await shell.ready()
        shell.signal(signal.SIGTERM)
        await shell.ended()
        assert received


async def refusal(tmp_path: Path, **settings: str) -> str:
    shell = Shell(tmp_path, **settings)
    shell.spawn()
    assert await shell.ended() == 1
    return shell.output.strip()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        pytest.param(
            {"PARLEY_HASH_KEY": ""}, "PARLEY_HASH_KEY is not set: set it in the environment", id="common"
        ),
        pytest.param({"SHELL_PORT": "0"}, "SHELL_PORT is '0': write a port from 1 to 65535", id="its own"),
    ],
)
async def test_a_wrong_setting_is_one_sentence(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    assert await refusal(tmp_path, **settings) == sentence


async def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert await refusal(tmp_path, SHELL_PORT=str(port)) == (
            f"port {port} is taken: end what uses it or set SHELL_PORT to another port"
        )


async def test_an_address_that_is_not_of_this_machine_is_one_sentence(tmp_path: Path) -> None:
    said = await refusal(tmp_path, PARLEY_HOST="192.0.2.1")
    assert said == "shell cannot listen on 192.0.2.1: Cannot assign requested address"
