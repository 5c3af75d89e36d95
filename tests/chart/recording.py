"""Starts a component up to its first connection, and notes which names of its environment it has read.

``python -m chart.recording agent`` takes a list of environments on stdin, as JSON, and writes what was read
of each and, where the component refused it, the sentence it said. Each is tried in a process of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

SERVICES = ("ingress", "agent", "egress", "status")

_COMMANDS = {
    "declare": "parley_common.declare",
    "migrate": "parley_status.migrate",
    "test": "parley_ingress.self_test.__main__",
}


@dataclass(frozen=True)
class Recorded:
    """``read``: the names. ``refusal``: what was said, None where the environment was taken."""

    read: frozenset[str]
    refusal: str | None


class Noting(dict[str, str]):
    """An environment that notes whatever is asked of it."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


def record(component: str, environments: Sequence[dict[str, str]]) -> list[Recorded]:
    """What a component reads in each environment."""
    ended = subprocess.run(
        [sys.executable, "-m", "chart.recording", component],
        input=json.dumps(environments),
        capture_output=True,
        text=True,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=90,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [Recorded(frozenset(one["read"]), one["refusal"]) for one in json.loads(ended.stdout)]


def _starter(component: str) -> Callable[[], object]:
    """What reads the environment; its modules are loaded, so that only this is left."""
    if component in SERVICES:
        return _service(component)
    if component in _COMMANDS:
        return importlib.import_module(_COMMANDS[component]).main  # type: ignore[no-any-return]
    if component == "simulator":
        settings = importlib.import_module("parley_simulator.settings")
        return lambda: settings.read_settings(os.environ)
    hash_keys, shared = (
        importlib.import_module(name) for name in ("parley_cli.hash_keys", "parley_common.shared_settings")
    )
    return lambda: (shared.read_common(), shared.read_limits(), hash_keys.read_key())


def _service(component: str) -> Callable[[], object]:
    module = importlib.import_module(f"parley_{component}.__main__")
    for lazily in ("openai", "anthropic") if component == "agent" else ():
        importlib.import_module(lazily)  # once, not in each child
    limits = importlib.import_module("parley_common.http_limits")
    shared = importlib.import_module("parley_common.shared_settings")
    tracing = importlib.import_module("parley_common.tracing")

    def start() -> None:
        limits.read_http_limits()
        service = module.build(shared.read_common())
        tracing.start_tracing(service.name)

    return start


def _try(start: Callable[[], object], noting: Noting) -> dict[str, Any]:
    refusal = None
    try:
        start()
    except (Exception, SystemExit) as error:
        refusal = None if isinstance(error, _Enough) else f"{type(error).__name__}: {error}"
    return {"read": sorted(noting.read), "refusal": refusal}


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """A command has read what it reads, and would now begin to work."""


def _stop(work: Coroutine[Any, Any, Any], **_: Any) -> None:
    work.close()
    raise _Enough


def _in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, json.dumps(work()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.wait()
    return dict(json.loads(told))


def main() -> None:
    """The command."""
    environments = json.load(sys.stdin)
    noting = Noting(dict(os.environ))
    os.environ = noting  # type: ignore[assignment]  # noqa: B003 - default arguments must hold this very object
    asyncio.run = _stop  # type: ignore[assignment]
    start = _starter(sys.argv.pop())
    results = []
    for environment in environments:
        noting.clear()
        noting.update(environment)
        noting.read.clear()
        results.append(_in_child(lambda: _try(start, noting)))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
