"""A real Prometheus over a running Parley: it scrapes the processes again and again and computes the rules."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from chart.monitoring import program
from harness.ports import free_port
from harness.waiting import wait_until
from parley_dev.tether import tethered

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Prometheus:
    """Its HTTP API."""

    http: httpx.AsyncClient

    async def ask(self, path: str, **query: str) -> Any:
        """The data of an answer; fails the test where Prometheus refuses."""
        answer = (await self.http.get(f"/api/v1/{path}", params=query)).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        return answer["data"]

    async def value(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """What an expression comes to now: labels and number of each series."""
        found = (await self.ask("query", query=expression))["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]


@asynccontextmanager
async def running_prometheus(
    folder: Path, targets: Mapping[str, str], rules: Path, *, namespace: str
) -> AsyncIterator[Prometheus]:
    """One that scrapes these: the name of a pod and its URL. Ends with the block."""
    address = f"{_HOST}:{free_port()}"
    process = _start(folder, address, _config(targets, rules, namespace))
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=10.0) as http:
            await wait_until(lambda: _is_ready(http), 30.0, what="Prometheus being ready")
            yield Prometheus(http)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _start(folder: Path, address: str, config: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = (
        str(program("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    )
    with (folder / "prometheus.log").open("wb") as log:
        return subprocess.Popen(tethered(command), stdout=log, stderr=log, env={"PATH": os.defpath})


def _config(targets: Mapping[str, str], rules: Path, namespace: str) -> dict[str, Any]:
    scraped = [
        {"targets": [url.removeprefix("http://")], "labels": {"namespace": namespace, "pod": pod}}
        for pod, url in targets.items()
    ]
    return {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"},
        "rule_files": [str(rules.absolute())],
        "scrape_configs": [{"job_name": "parley", "static_configs": scraped}],
    }


async def _is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/-/ready")).is_success
    except httpx.HTTPError:
        return False
