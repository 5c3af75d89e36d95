"""``python -m parley_dev`` as people start it: ready, restarted, stopped, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from harness.ports import free_port
from harness.stack import blocking_stack
from harness.waiting import wait_until_blocking
from parley_dev.addresses import VARIABLES
from parley_dev.processes import BROKER

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes by /proc")

SERVING = ("ingress", "agent", "egress", "status", "simulator")
READY_WITHIN_S = 40.0  # ten on an idle machine
STOPPED_WITHIN_S = 30.0


class LocalRun:
    """One run and all that belongs to it."""

    def __init__(self, directory: Path, settings: Mapping[str, str]) -> None:
        directory.mkdir(exist_ok=True)
        self.data_dir = directory / "data"
        self.ports = {name: free_port() for name in VARIABLES}
        self._log = directory / "run.log"
        environment = {"PATH": os.environ["PATH"], "PARLEY_DATA_DIR": str(self.data_dir)}
        environment |= {VARIABLES[name]: str(port) for name, port in self.ports.items()}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                (sys.executable, "-m", "parley_dev"),
                env={**environment, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def shown(self) -> str:
        return self._log.read_text()

    def children(self) -> dict[str, int]:
        """The ids of its processes by what they are."""
        listing = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {_what_runs(int(pid)): int(pid) for pid in listing.split()}

    def status(self, name: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}/readyz").status_code
        except httpx.TransportError:
            return 0

    def wait_ready(self) -> None:
        wait_until_blocking(
            lambda: "Parley is ready" in self.shown or self.process.poll() is not None,
            READY_WITHIN_S,
            what="ready",
        )
        assert self.process.poll() is None, self.shown

    def wait_ended(self) -> int:
        return self.process.wait(STOPPED_WITHIN_S)

    def listens(self) -> list[str]:
        """Which of its ports somebody still listens on."""
        return [name for name, port in self.ports.items() if _connects(port)]


def _what_runs(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return "gone"
    if "-m" in words:
        return words[words.index("-m") + 1].removeprefix("parley_")
    return Path(words[0]).name


def _connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_alive(pid: int) -> bool:
    """Whether it runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def local_run(directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[LocalRun]:
    run = LocalRun(directory, settings or {})
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait(10)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    """One run for the tests that leave it as they found it."""
    with local_run(tmp_path_factory.mktemp("shared")) as run:
        run.wait_ready()
        yield run


def test_one_command_starts_everything_and_one_interrupt_ends_it(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_ready()
        assert {name: run.status(name) for name in SERVING} == dict.fromkeys(SERVING, 200)
        children = run.children()
        assert children.keys() == {*SERVING, "nats-server"}
        run.process.send_signal(signal.SIGINT)
        assert run.wait_ended() == 0
        assert not [name for name, pid in children.items() if is_alive(pid)]
        assert run.listens() == []
        assert "Traceback" not in run.shown


def test_every_address_is_on_this_machine_only(shared: LocalRun) -> None:
    sockets = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = re.finditer(r"\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F:]+ 0A ", sockets)
    bound = {int(match[2], 16): match[1] for match in listening}
    addresses = {name: bound.get(port) for name, port in shared.ports.items()}
    assert addresses == dict.fromkeys(shared.ports, "0100007F")


def test_the_api_answers_who_sends_the_header_file(shared: LocalRun) -> None:
    url = f"http://127.0.0.1:{shared.ports['status']}/v1/conversations"
    name, _, value = (shared.data_dir / "api-key.header").read_text().strip().partition(": ")
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={name: value}).status_code == 200


def test_a_terminated_run_leaves_nothing(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_ready()
        children = run.children()
        run.process.terminate()
        assert run.wait_ended() == 0
        assert not [name for name, pid in children.items() if is_alive(pid)]


def test_a_killed_run_leaves_nothing(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_ready()
        children = run.children()
        run.process.kill()
        try:
            wait_until_blocking(lambda: not any(map(is_alive, children.values())), what="the end of all processes")
        finally:
            for pid in filter(is_alive, children.values()):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["ingress", "agent", "egress", "status", "simulator", "nats-server"])
def test_a_killed_process_is_started_again(victim: str, shared: LocalRun) -> None:
    killed = shared.children()[victim]
    os.kill(killed, signal.SIGKILL)
    wait_until_blocking(
        lambda: shared.children().get(victim, killed) != killed, timeout_s=15, what=f"another {victim}"
    )
    wait_until_blocking(
        lambda: all(shared.status(name) == 200 for name in SERVING), READY_WITHIN_S, what="everybody ready again"
    )


def test_with_real_settings_no_simulator_runs_and_the_webhook_to_set_is_shown(tmp_path: Path) -> None:
    real = {
        "TWILIO_ACCOUNT_SID": f"AC{'1' * 32}",
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_PHONE_NUMBER": "+15550100009",
        "TWILIO_API_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "PARLEY_PUBLIC_URL": "https://sms.example.com",
    }
    with local_run(tmp_path, real) as run:
        run.wait_ready()
        assert "simulator" not in run.children()
        assert "https://sms.example.com/webhooks/twilio/sms#rc=5&rp=all" in run.shown


def test_a_broker_outside_is_used_and_survives_the_run(tmp_path: Path) -> None:
    with blocking_stack(tmp_path / "outside", (BROKER,)) as outside:
        with local_run(tmp_path / "run", {"NATS_URL": outside.nats_url}) as run:
            run.wait_ready()
            assert "nats-server" not in run.children()
            run.process.terminate()
            assert run.wait_ended() == 0
        assert outside[BROKER].is_alive


@pytest.mark.parametrize("taken", ["ingress", "nats"])
def test_a_taken_port_is_one_sentence_and_nothing_starts(taken: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number, variable = listener.getsockname()[1], VARIABLES[taken]
        with local_run(tmp_path, {variable: str(number)}) as run:
            assert run.wait_ended() == 1
            words = f"port {number} is taken: end what uses it or set {variable} to another port"
            assert run.shown == f"parley: {words}\n"


def test_settings_that_make_no_sense_are_one_sentence(tmp_path: Path) -> None:
    with local_run(tmp_path, {"TWILIO_AUTH_TOKEN": "token"}) as run:
        assert run.wait_ended() == 1
        assert run.shown.startswith("parley: TWILIO_AUTH_TOKEN is set but TWILIO_ACCOUNT_SID is not")
        assert run.shown.count("\n") == 1


def test_two_runs_beside_one_another_do_not_meet(tmp_path: Path) -> None:
    with local_run(tmp_path / "one") as one, local_run(tmp_path / "two") as two:
        one.wait_ready()
        two.wait_ready()
        one.process.send_signal(signal.SIGINT)
        assert one.wait_ended() == 0
        assert {name: two.status(name) for name in SERVING} == dict.fromkeys(SERVING, 200)


def test_a_second_run_on_one_data_dir_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with local_run(tmp_path) as first:
        first.wait_ready()
        (tmp_path / "second").mkdir()
        with local_run(tmp_path / "second", {"PARLEY_DATA_DIR": str(first.data_dir)}) as second:
            assert second.wait_ended() == 1
            assert second.shown.startswith(f"parley: another run uses {first.data_dir}")
        assert first.status("ingress") == 200


def test_the_next_run_finds_the_keys_of_the_last(tmp_path: Path) -> None:
    with local_run(tmp_path) as run:
        run.wait_ready()
        before = (run.data_dir / "secrets.json").read_bytes()
        run.process.terminate()
        run.wait_ended()
    with local_run(tmp_path) as again:
        again.wait_ready()
        assert (again.data_dir / "secrets.json").read_bytes() == before


def test_help_names_every_variable() -> None:
    shown = subprocess.run(
        (sys.executable, "-m", "parley_dev", "--help"), capture_output=True, text=True, check=True
    )
    wanted = {*VARIABLES.values(), "PARLEY_DATA_DIR", "NATS_URL", "TWILIO_ACCOUNT_SID", "PARLEY_PUBLIC_URL"}
    assert not [name for name in wanted if name not in shown.stdout]
