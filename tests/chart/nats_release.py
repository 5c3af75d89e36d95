"""The embedded NATS as the chart renders it, run as processes of this machine, and who may speak with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from chart.local.cluster import LocalCluster, running_release
from chart.local.manifests import Objects
from harness.helm import Manifest, render
from parley_common.broker import Broker
from parley_common.bus import Bus

NAME = "r-parley-nats"
NAMESPACE = "parley"
HOST = "127.0.0.1"
SERVICES = ("ingress", "agent", "egress", "status")
USERS = (*SERVICES, "operator", "declare")
MINIMAL = Path(__file__).parent / "values" / "minimal.yaml"
SMALL = {
    "nats": {"embedded": {"storage": {"size": "8Gi"}}},
    "streams": {"maxBytes": 50_000_000, "mediaMaxBytes": 50_000_000},
}


def embedded(**changes: Any) -> Manifest:
    """Values that change the embedded NATS."""
    return {"nats": {"embedded": changes}}


def nats_objects(*values: Any, **options: Any) -> list[Manifest]:
    """What the chart renders for NATS."""
    label = "app.kubernetes.io/component"
    rendered = render(MINIMAL, SMALL, *values, **options)
    return [one for one in rendered if one["metadata"].get("labels", {}).get(label) == "nats"]


def find(objects: list[Manifest], kind: str, name: str = NAME) -> Manifest:
    """The object of that kind and name."""
    (found,) = [one for one in objects if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


class Nats:
    """A running one. ``log`` is what its servers have written."""

    def __init__(self, cluster: LocalCluster, objects: list[Manifest]) -> None:
        self.cluster = cluster
        self.passwords: Mapping[str, str] = Objects(tuple(objects)).data("Secret", f"{NAME}-users") or {}

    @property
    def url(self) -> str:
        """Of all its servers."""
        return ",".join(f"nats://{HOST}:{pod.ports[4222]}" for pod in self.cluster.of("nats"))

    @property
    def log(self) -> str:
        """What all servers have written."""
        return "".join(pod.output for pod in self.cluster.of("nats"))

    def broker(self, user: str) -> Broker:
        """What a process of this user is told."""
        return Broker(self.url, user=user, password=self.passwords[user], inbox_prefix=f"_INBOX_{user}")

    def settings(self, user: str) -> dict[str, str]:
        """The same as the chart's variables."""
        return {
            "NATS_URL": self.url,
            "NATS_USER": user,
            "NATS_PASSWORD": self.passwords[user],
            "NATS_INBOX_PREFIX": f"_INBOX_{user}",
        }

    @asynccontextmanager
    async def bus(self, user: str) -> AsyncIterator[Bus]:
        """A connection of this user."""
        bus = Bus(self.broker(user), name=f"test-{user}")
        await bus.connect()
        try:
            yield bus
        finally:
            await bus.close()

    async def ask(self, path: str, server: int = 0) -> Any:
        """What a server's monitoring says."""
        async with httpx.AsyncClient() as http:
            pod = self.cluster.of("nats")[server]
            return (await http.get(f"http://{HOST}:{pod.ports[8222]}{path}")).json()


@asynccontextmanager
async def running_nats(directory: Path, *values: Any) -> AsyncIterator[Nats]:
    """One that is ready inside the block."""
    objects = nats_objects(*values)
    async with running_release(objects, directory, NAMESPACE) as cluster:
        yield Nats(cluster, objects)
