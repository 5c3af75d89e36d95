"""What is watched, as the tests see it: the page of metrics, the rules, the dashboards, and promtool."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.promql import grouped, selectors
from harness.helm import CHART

ROOT = Path(__file__).parents[2]
RULES = CHART / "monitoring/rules.yaml"
DASHBOARDS = sorted((CHART / "monitoring/dashboards").glob("*.json"))
EXAMPLES = sorted((Path(__file__).parent / "promtool").glob("*.yaml"))
RUNBOOK = ROOT / "docs/alerts.md"
EVERYWHERE = 'namespace=~".*"'

_PAGE = ROOT / "docs/telemetry.md"
_ROW = re.compile(r"^\| `(parley_\w+)` \| (counter|gauge|histogram) \| ([^|]+) \|", re.MULTILINE)
_SUFFIXES = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}

# Of each target, from Prometheus or its operator.
TARGET_LABELS = {"namespace", "pod", "instance"}

# What others tell: the client library about each process, the NATS exporter, Prometheus about its alerts.
_SERVER = {"server_id", "server_name", "cluster", "domain", "meta_leader", "is_meta_leader"}
_STREAM = _SERVER | {"account", "stream_name", "stream_leader", "is_stream_leader"}
FOREIGN: Mapping[str, set[str]] = {
    "process_start_time_seconds": set(),
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
    "jetstream_server_jetstream_disabled": _SERVER,
    "jetstream_server_total_message_bytes": _SERVER,
    "jetstream_server_max_storage": _SERVER,
    "jetstream_stream_total_messages": _STREAM,
    "jetstream_stream_total_bytes": _STREAM,
    "jetstream_stream_limit_bytes": _STREAM,
    "jetstream_consumer_num_redelivered": _STREAM | {"consumer_name", "is_consumer_leader"},
    "gnatsd_varz_mem": {"server_id"},
    "ALERTS": {"alertname", "alertstate"},
}


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard; ``queries`` are its expressions as they stand."""

    dashboard: str
    title: str
    queries: tuple[str, ...]
    raw: Mapping[str, Any]


@cache
def documented() -> dict[str, dict[str, frozenset[str]]]:
    """The series that docs/telemetry.md promises: by name its labels, and their values where the page says all."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for name, kind, cell in _ROW.findall(_PAGE.read_text(encoding="utf-8")):
        labels: dict[str, frozenset[str]] = {}
        for part in cell.split(";"):
            if said := re.findall(r"`([^`]+)`", part):
                closed = ":" in part
                labels |= {said[0]: frozenset(said[1:])} if closed else dict.fromkeys(said, frozenset())
        for suffix in _SUFFIXES[kind]:
            found[name + suffix] = labels | ({"le": frozenset()} if suffix == "_bucket" else {})
    return found


@cache
def groups() -> list[dict[str, Any]]:
    """The groups of rules.yaml."""
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return found


def alerts() -> list[dict[str, Any]]:
    """All alerts."""
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def recordings() -> dict[str, str]:
    """The expressions that are recorded, by name."""
    return {rule["record"]: rule["expr"] for group in groups() for rule in group["rules"] if "record" in rule}


def labels_of(metric: str) -> dict[str, frozenset[str]] | None:
    """The labels of a series and their values where all are known; None where there is no such series."""
    if metric in documented():
        return documented()[metric]
    if metric in FOREIGN:
        return dict.fromkeys(FOREIGN[metric], frozenset())
    if metric not in recordings():
        return None
    kept = grouped(recordings()[metric])
    known = [labels_of(each.metric) or {} for each in selectors(recordings()[metric])]
    return {label: values for labels in known for label, values in labels.items() if label in kept}


@cache
def panels() -> tuple[Panel, ...]:
    """All panels of all dashboards but the rows."""
    found = []
    for path in DASHBOARDS:
        for raw in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            if raw["type"] != "row":
                queries = tuple(target["expr"] for target in raw.get("targets", ()))
                found.append(Panel(path.stem, raw["title"], queries, raw))
    return tuple(found)


def as_grafana_asks(query: str, *, rate: str = "1m", whole: str = "1h", namespace: str = ".*") -> str:
    """The expression with Grafana's variables filled in."""
    filled = query.replace("$__rate_interval", rate).replace("$__range", whole)
    return filled.replace('"$namespace"', f'"{namespace}"')


def program(name: str) -> Path:
    """prometheus or promtool; skips the test where it is missing, unless PARLEY_REQUIRE_PROMTOOL is set."""
    found = shutil.which(name)
    if found is None:
        missing = f"no {name}: on Debian, apt-get install --no-install-recommends prometheus"
        assert not os.environ.get("PARLEY_REQUIRE_PROMTOOL"), missing
        pytest.skip(missing)
    return Path(found)


def promtool(*arguments: str | Path) -> str:
    """What promtool says; fails the test where it is not content."""
    command = [str(program("promtool")), *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
