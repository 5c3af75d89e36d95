"""NATS servers as processes of their own: one, or three that replicate, each write synced before it is acked.

Started beside a stack that gets their addresses in ``NATS_URL``.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import anyio

from harness.ports import free_port
from harness.running import Running
from parley_dev.addresses import HOST
from parley_dev.processes import Process
from parley_dev.readiness import GreetsAsBroker

_INHERITED = ("PATH", "HOME", "TMPDIR")


class Brokers:
    """``count`` servers named ``nats-1`` and so on, not started yet."""

    def __init__(self, directory: Path, count: int) -> None:
        self._ports = {f"nats-{n}": free_port() for n in range(1, count + 1)}
        self._routes = {name: free_port() for name in self._ports}
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.running = {name: self._prepare(name) for name in self._ports}

    @property
    def url(self) -> str:
        """What ``NATS_URL`` is to be."""
        return ",".join(f"nats://{HOST}:{port}" for port in self._ports.values())

    async def start(self) -> None:
        """Starts all; returns when each greets. A cluster still elects its leader then."""
        for one in self.running.values():
            one.spawn()
        for one in self.running.values():
            await one.ready()

    async def stop(self) -> None:
        """Ends all; whoever takes long is killed."""
        with anyio.move_on_after(8.0):
            for one in self.running.values():
                await one.stop()
        for one in self.running.values():
            one.kill()

    def _prepare(self, name: str) -> Running:
        config = self._directory / f"{name}.conf"
        config.write_text(self._config(name))
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        row = Process(
            name=name,
            command=(str(binary), "-c", str(config)),
            ready=GreetsAsBroker(HOST, self._ports[name]),
        )
        environment = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        return Running(row, environment, self._directory / f"{name}.log")

    def _config(self, name: str) -> str:
        lines = [
            f"server_name: {name}",
            f"listen: {HOST}:{self._ports[name]}",
            f"jetstream {{ store_dir: {self._directory / name}, sync_interval: always }}",
        ]
        if len(self._ports) > 1:
            routes = ", ".join(f"nats://{HOST}:{port}" for other, port in self._routes.items() if other != name)
            lines.append(f"cluster {{ name: chaos, listen: {HOST}:{self._routes[name]}, routes: [{routes}] }}")
        return "\n".join(lines) + "\n"
