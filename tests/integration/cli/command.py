"""The ``parley`` command as an operator runs it: a process, what it wrote, how it ended."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass

from harness.stack import Stack


@dataclass(frozen=True)
class Ended:
    """What a command wrote and its exit code."""

    code: int
    out: str
    err: str


async def parley(stack: Stack, *arguments: str, settings: dict[str, str] | None = None) -> Ended:
    """Runs the command against a stack's broker, with its limits, without the secrets that it must not need."""
    limits = {name: value for name, value in stack.environment.items() if name.endswith("_MAX_BYTES")}
    environment = {**os.environ, **limits, "NATS_URL": stack.nats_url, **(settings or {})}
    if "PARLEY_HASH_KEY" not in (settings or {}):
        environment.pop("PARLEY_HASH_KEY", None)
    return await run(environment, *arguments)


async def run(environment: dict[str, str], *arguments: str) -> Ended:
    """Runs the command in an environment; fails the test where it takes longer than a minute."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "parley_cli", *arguments),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def done(stack: Stack, *arguments: str) -> str:
    """The output of a command that succeeds and complains of nothing."""
    ended = await parley(stack, *arguments)
    assert (ended.code, ended.err) == (0, ""), f"{arguments}: {ended}"
    return ended.out


async def refusal(stack: Stack, *arguments: str) -> str:
    """The one sentence of a command that is refused."""
    ended = await parley(stack, *arguments)
    assert ended.code == 1, f"{arguments}: {ended}"
    (line,) = ended.err.splitlines()
    return line.removeprefix("parley: ")
