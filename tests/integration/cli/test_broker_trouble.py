"""Every command where the broker is absent, frozen or empty: one sentence, soon, and exit code 1."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from harness.ports import free_port
from harness.stack import Stack
from integration.cli.command import parley, refusal, run
from parley_common import topology
from parley_common.bus import Bus

pytestmark = pytest.mark.anyio

EVERY = [
    ("pause",),
    ("resume",),
    ("switches",),
    ("dead-letters", "list"),
    ("dead-letters", "show", "abc"),
    ("dead-letters", "replay", "--all"),
    ("backfill", "--since", "2h"),
    ("backup", "DIR"),
]


def in_folder(arguments: tuple[str, ...], folder: Path) -> list[str]:
    return [str(folder / "backup") if one == "DIR" else one for one in arguments]


async def test_without_a_broker_every_command_says_so_within_seconds(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "PARLEY_NATS_PORT": str(port)}
    environment.pop("NATS_URL", None)
    started = time.monotonic()
    commands = [run(environment, *in_folder(arguments, tmp_path)) for arguments in EVERY]
    for ended in await asyncio.gather(*commands):
        assert ended.code == 1
        (line,) = ended.err.splitlines()
        assert line.startswith(f"parley: no broker answers at 127.0.0.1:{port} within 5 s")
        assert "NATS_URL" in line
    assert time.monotonic() - started < 50
    assert not any((tmp_path / "backup").iterdir())


async def test_where_nothing_was_ever_declared_every_command_names_the_stream(
    empty: Stack, tmp_path: Path
) -> None:
    commands = [in_folder(arguments, tmp_path) for arguments in EVERY if arguments[0] != "backfill"]
    for said in await asyncio.gather(*(refusal(empty, *arguments) for arguments in commands)):
        assert "has no stream" in said
        assert "parley restore" in said


async def test_a_frozen_broker_is_not_waited_for_for_ever(broker: Stack) -> None:
    broker["nats"].pause()
    try:
        ended = await parley(broker, "switches")
    finally:
        broker["nats"].resume()
    assert ended.code == 1
    assert "no broker answers" in ended.err


async def test_credentials_in_the_address_are_not_shown(tmp_path: Path) -> None:
    port = free_port()
    settings = {**os.environ, "NATS_URL": f"nats://operator:hush@127.0.0.1:{port}"}
    ended = await run(settings, "switches")
    assert ended.code == 1
    assert f"127.0.0.1:{port}" in ended.err
    assert "hush" not in ended.err + ended.out


async def test_one_missing_stream_is_named(broker: Stack, bus: Bus) -> None:
    await bus.js.delete_stream(topology.DEAD_LETTERS)
    assert f"no stream {topology.DEAD_LETTERS}" in await refusal(broker, "dead-letters", "list")


async def test_a_wrong_setting_is_named(broker: Stack) -> None:
    environment = {**os.environ, "PARLEY_NATS_PORT": "many"}
    environment.pop("NATS_URL", None)
    ended = await run(environment, "switches")
    assert ended.code == 1
    assert "PARLEY_NATS_PORT is 'many'" in ended.err
