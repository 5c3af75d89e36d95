"""compose.yaml's containers, run by podman in the order that its conditions ask for."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from harness.ports import free_port
from harness.waiting import wait_until
from images.composing import arguments, read_compose, seconds
from images.podman import Podman

PORTS = ("SMS_WEBHOOK_PORT", "PARLEY_STATUS_PORT", "PARLEY_SIMULATOR_PORT")
SECRETS = ("PARLEY_HASH_KEY", "PARLEY_SECRET_KEY", "PARLEY_API_KEY", "TWILIO_AUTH_TOKEN")
SERVED = ("simulator", "ingress", "agent", "egress", "status")
"""Those that have a healthcheck which the stand-in images can answer, in an order that serves."""

_HEALTHY = (
    "import urllib.request as ask; ask.urlopen('http://127.0.0.1:8222/healthz?js-server-only=true', timeout=4)"
)
_READY_WITHIN_S = 60.0


class Composed:
    """The containers of one test. ``images`` by service; ``project`` begins the name of all that is made."""

    def __init__(self, podman: Podman, images: Mapping[str, str], project: str) -> None:
        self.podman = podman
        self.images = images
        self.project = project
        keys = {name: f"{number}{'0123456789abcdef' * 2}" for number, name in enumerate(SECRETS)}
        self.environment = keys | {name: str(free_port()) for name in PORTS}
        self.compose: dict[str, Any] = read_compose(self.environment)
        self.ready_after_s: dict[str, float] = {}

    def name(self, service: str) -> str:
        """The container of a service."""
        return f"{self.project}-{service}"

    def url(self, variable: str) -> str:
        """Where a published port answers."""
        return f"http://127.0.0.1:{self.environment[variable]}"

    async def start(self) -> None:
        """Starts all: broker, declare step, services and simulator; returns when all are healthy."""
        for network, options in self.compose["networks"].items():
            internal = ["--internal"] if (options or {}).get("internal") else []
            self.podman("network", "create", *internal, f"{self.project}-{network}")
        self._run("nats")
        await wait_until(self._broker_is_healthy, _READY_WITHIN_S, what="the health of the broker")
        self._run("declare")
        assert self.exit_code("declare") == 0, self.log("declare")
        for service in SERVED:
            self._run(service)
            await self.healthy(service)

    async def healthy(self, service: str) -> None:
        """Waits until the command of its healthcheck succeeds."""
        begun_s = time.monotonic()
        await wait_until(lambda: self._is_healthy(service), _READY_WITHIN_S, what=f"the health of {service}")
        self.ready_after_s[service] = time.monotonic() - begun_s

    def terminate(self, service: str) -> float:
        """Sends SIGTERM and gives the seconds until the end; fails the test where it outlives its grace period."""
        grace_s = seconds(self.compose["services"][service]["stop_grace_period"])
        begun_s = time.monotonic()
        self.podman("kill", "--signal", "TERM", self.name(service))
        self.podman("wait", self.name(service), timeout_s=grace_s)
        return time.monotonic() - begun_s

    def start_again(self, service: str) -> None:
        """Starts a container that has ended."""
        self.podman("start", self.name(service))

    def exit_code(self, service: str) -> int:
        """The code with which it ended; waits for the end."""
        return int(self.podman.answer("wait", self.name(service)))

    def log(self, service: str) -> str:
        """All it has written."""
        done = self.podman("logs", self.name(service))
        return done.stdout + done.stderr

    def state(self, service: str) -> Any:
        """What podman knows of the container."""
        return json.loads(self.podman.answer("inspect", self.name(service)))[0]

    def memory_mib(self, service: str) -> float:
        """What the process of the container has in memory."""
        said = self.podman.answer("exec", self.name(service), "cat", "/proc/1/status")
        (line,) = [line for line in said.splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024

    def _run(self, service: str) -> None:
        what = self.compose["services"][service]
        image = self.images["ingress" if service == "declare" else service]
        options = arguments(self.project, service, what)
        self.podman("run", "--detach", "--name", self.name(service), *options, image, *what.get("command", ()))

    def _broker_is_healthy(self) -> bool:
        return self._succeeds("nats", "python3", "-c", _HEALTHY)

    def _is_healthy(self, service: str) -> bool:
        assert self.state(service)["State"]["Running"], self.log(service)
        return self._succeeds(service, *self.compose["services"][service]["healthcheck"]["test"][1:])

    def _succeeds(self, service: str, *command: str) -> bool:
        return self.podman("exec", self.name(service), *command, may_fail=True).returncode == 0
