"""The table of processes: what each is called, how it is started, what it waits for, when it is ready.

Describes them; starting and stopping is the supervisor's.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parley_dev.addresses import HOST
from parley_dev.plan import Plan
from parley_dev.readiness import AnswersHttp, GreetsAsBroker, HasEnded, Readiness

BROKER = "nats"
DECLARE = "declare"
SERVICES = ("ingress", "agent", "egress", "status")


@dataclass(frozen=True, kw_only=True)
class Process:
    """A row of the table. ``after``: the names of those that must be ready before it starts."""

    name: str
    command: tuple[str, ...]
    ready: Readiness
    after: tuple[str, ...] = ()

    @property
    def is_step(self) -> bool:
        """Whether it ends by itself."""
        return isinstance(self.ready, HasEnded)


def table(plan: Plan) -> tuple[Process, ...]:
    """All processes of a run, in the order they start."""
    rows: list[Process] = []
    if plan.own_broker:
        rows.append(_broker(plan))
    rows.append(
        Process(
            name=DECLARE,
            command=_module("parley_common.declare"),
            ready=HasEnded(),
            after=(BROKER,) if plan.own_broker else (),
        )
    )
    if plan.simulated:
        rows.append(_service(plan, "simulator", after=()))
    rows.extend(_service(plan, name, after=(DECLARE,)) for name in SERVICES)
    return tuple(rows)


def broker_log(plan: Plan) -> Path:
    """Where the broker writes its log."""
    return plan.data_dir / "nats-server.log"


def stop_waves(processes: Sequence[Process]) -> tuple[tuple[str, ...], ...]:
    """Who is stopped together, and in which order: nobody loses what it was started after."""
    rows = {process.name: process for process in processes}
    depths = {name: _depth(name, rows) for name in rows}
    return tuple(
        tuple(name for name in rows if depths[name] == depth)
        for depth in sorted(set(depths.values()), reverse=True)
    )


def _depth(name: str, rows: dict[str, Process]) -> int:
    return max((1 + _depth(earlier, rows) for earlier in rows[name].after), default=0)


def _service(plan: Plan, name: str, after: tuple[str, ...]) -> Process:
    url = f"{plan.url(name)}/readyz"
    return Process(name=name, command=_module(f"parley_{name}"), ready=AnswersHttp(url), after=after)


def _broker(plan: Plan) -> Process:
    port = plan.ports[BROKER].number
    # PATH is not asked: in a virtual environment that is not activated it doesn't lead there.
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    return Process(
        name=BROKER,
        command=(
            *(str(binary), "-js", "-sd", str(plan.data_dir / "nats")),
            *("-a", HOST, "-p", str(port), "-l", str(broker_log(plan))),
        ),
        ready=GreetsAsBroker(HOST, port),
    )


def _module(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name)
