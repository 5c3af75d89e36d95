"""What processes and streams use, read from the kernel and the broker. Times are of the processor, in seconds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.stack import Stack
from parley_common import topology
from parley_common.bus import Bus

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STREAMS = (topology.CONVERSATIONS, topology.REPORTS)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """At one moment: by process, by stream. ``database_bytes``: of the SQLite file and its log."""

    cpu_s: Mapping[str, float]
    memory_mib: Mapping[str, float]
    messages: Mapping[str, int]
    bytes: Mapping[str, int]
    database_bytes: int


async def read_usage(stack: Stack, bus: Bus, processes: tuple[str, ...]) -> Usage:
    """Reads it now."""
    states = {name: (await bus.js.stream_info(name)).state for name in _STREAMS}
    return Usage(
        cpu_s={name: _cpu_s(stack[name].pid) for name in processes},
        memory_mib={name: stack[name].memory_mib for name in processes},
        messages={name: state.messages for name, state in states.items()},
        bytes={name: state.bytes for name, state in states.items()},
        database_bytes=sum(file.stat().st_size for file in stack.directory.rglob("status.db*")),
    )


def _cpu_s(pid: int) -> float:
    """Of the process and the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_S
