"""A stack whose processes are each a user of the embedded NATS, as the chart makes them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from chart.nats_release import SERVICES, Nats
from harness.running import Running
from harness.stack import HASH_KEY, Stack
from integration.cli.command import Ended, run

LIMITS = {"PARLEY_STREAM_MAX_BYTES": "50000000", "PARLEY_MEDIA_MAX_BYTES": "50000000"}


class UserStack(Stack):
    """Each process under its own name; a replica is told by whoever adds it."""

    def __init__(self, directory: Path, nats: Nats, *, replicas: int = 1) -> None:
        super().__init__(directory, {"NATS_URL": nats.url, "PARLEY_STREAM_REPLICAS": str(replicas), **LIMITS})
        self._nats = nats

    async def parley(self, *arguments: str, nats: Nats | None = None) -> Ended:
        """The operator's command, by default against the NATS of the stack."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        keys = {"PARLEY_HASH_KEY": HASH_KEY, "LOGNAME": "grace"}
        return await run({**inherited, **keys, **LIMITS, **(nats or self._nats).settings("operator")}, *arguments)

    def _add(self, name: str) -> Running:
        process = super()._add(name)
        if name in (*SERVICES, "declare"):
            process.environment |= self._nats.settings(name)
        return process


@asynccontextmanager
async def user_stack(directory: Path, nats: Nats, *, replicas: int = 1) -> AsyncIterator[UserStack]:
    """All of it, running inside the block."""
    stack = UserStack(directory, nats, replicas=replicas)
    try:
        await stack.start(("declare", "simulator", *SERVICES))
        yield stack
    except BaseException:
        stack.kill()
        stack.show_logs()
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await stack.stop()
