"""``parley backup`` and what ``parley restore`` refuses, between two real brokers."""

from __future__ import annotations

import asyncio
import json
import random
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.stack import BROKER_ONLY, Stack, running_stack
from integration.cli.command import done, parley, refusal
from integration.cli.streams import fill
from integration.common.connections import a_text, connected, history
from parley_cli.snapshots import remove_empty
from parley_cli.words import Refused
from parley_common import topology
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL, read_restored, read_switch
from parley_common.declare import declare
from parley_common.hash_key import check_hash_key, keep_hash_key, read_fingerprint

pytestmark = pytest.mark.anyio


@pytest.fixture
async def folder(broker: Stack, bus: Bus, tmp_path: Path) -> Path:
    """A backup of a broker that holds something of everything."""
    await fill(bus)
    await done(broker, "backup", str(tmp_path / "backup"))
    return tmp_path / "backup"


@pytest.fixture
async def new(empty: Stack) -> AsyncIterator[Bus]:
    """A connection to a broker in which nothing was ever declared."""
    async with connected(empty) as bus:
        yield bus


def modes(folder: Path) -> tuple[int, set[int]]:
    """Who may read a folder, and what is in it."""
    return stat.S_IMODE(folder.stat().st_mode), {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_empty_streams_can_be_saved_and_streams_that_are_empty_restored_over(
    broker: Stack, bus: Bus, tmp_path: Path
) -> None:
    await done(broker, "backup", str(tmp_path / "backup"))
    await done(broker, "restore", str(tmp_path / "backup"))
    assert await history(bus, "conv.>") == []
    switch = await read_switch(bus, EVERY_CHANNEL)
    assert switch is not None
    assert switch.paused


@pytest.mark.parametrize("subject", ["conv.c.in", "consent.key", "control.backfill.key"])
async def test_nothing_is_restored_over_a_stream_that_holds_messages(
    empty: Stack, new: Bus, folder: Path, subject: str
) -> None:
    await declare(new.js, topology.Limits())
    await new.publish(subject, a_text())
    said = await refusal(empty, "restore", str(folder))
    assert f"the stream {topology.stream_of(subject)} holds messages already (1)" in said
    assert "empty data folder" in said
    assert len(await history(new, subject)) == 1
    assert await read_restored(new) is None


async def test_texts_that_arrive_while_a_backup_is_taken_are_in_it_whole_or_not_at_all(
    broker: Stack, bus: Bus, empty: Stack, new: Bus, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    async def write() -> int:
        count = 0
        while not stop.is_set():
            await bus.publish(topology.texts(f"c{count % 7}"), a_text(body="x" * 2000), dedupe=True)
            count += 1
            await asyncio.sleep(0.001)
        return count

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.5)
    await done(broker, "backup", str(tmp_path / "backup"))
    stop.set()
    written = await writing
    await done(empty, "restore", str(tmp_path / "backup"))
    before, after = await history(bus, "conv.>"), await history(new, "conv.>")
    assert 0 < len(after) < written
    assert after == before[: len(after)]


async def test_a_snapshot_of_many_chunks_comes_back_byte_for_byte(
    broker: Stack, bus: Bus, empty: Stack, new: Bus, tmp_path: Path
) -> None:
    """More than the server sends without an ack."""
    noise = random.Random(1)
    for _ in range(400):
        await bus.js.publish("report.c.part", noise.randbytes(20_000))
    await done(broker, "backup", str(tmp_path / "backup"))
    assert (tmp_path / "backup" / "REPORTS.snapshot").stat().st_size > 4 * 1024**2
    await done(empty, "restore", str(tmp_path / "backup"))
    assert await history(new, "report.>") == await history(bus, "report.>")


async def test_a_stream_that_was_empty_and_is_not_any_more_keeps_its_message_and_its_subjects(bus: Bus) -> None:
    await bus.publish(topology.texts("c"), a_text())
    with pytest.raises(Refused, match="holds messages already"):
        await remove_empty(bus, topology.CONVERSATIONS)
    assert await bus.publish(topology.texts("c"), a_text()) == 2


async def test_a_damaged_file_is_refused_before_anything_is_restored(empty: Stack, new: Bus, folder: Path) -> None:
    path = folder / "CONSENT.snapshot"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    said = await refusal(empty, "restore", str(folder))
    assert "CONSENT.snapshot is damaged" in said
    assert await new.js.streams_info() == []


async def test_a_backup_that_was_not_finished_is_refused(empty: Stack, folder: Path) -> None:
    (folder / "backup.json").unlink()
    assert "is no backup" in await refusal(empty, "restore", str(folder))


async def test_a_missing_file_is_named(empty: Stack, folder: Path) -> None:
    (folder / "REPORTS.snapshot").unlink()
    assert "REPORTS.snapshot is missing" in await refusal(empty, "restore", str(folder))


async def test_a_backup_of_another_format_is_refused(empty: Stack, folder: Path) -> None:
    path = folder / "backup.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 7}))
    assert "format 7" in await refusal(empty, "restore", str(folder))


async def test_another_hash_key_is_refused_since_it_would_forget_every_stop(
    broker: Stack, bus: Bus, empty: Stack, new: Bus, tmp_path: Path
) -> None:
    key, other = {"PARLEY_HASH_KEY": broker.environment["PARLEY_HASH_KEY"]}, {"PARLEY_HASH_KEY": "o" * 64}
    folder = str(tmp_path / "backup")
    assert (await parley(broker, "backup", folder, settings=key)).code == 0
    refused = await parley(empty, "restore", folder, settings=other)
    assert (refused.code, "PARLEY_HASH_KEY is not the one" in refused.err) == (1, True)
    assert await new.js.streams_info() == []
    assert (await parley(empty, "restore", folder, settings=key)).code == 0


async def test_a_backup_taken_without_the_key_still_refuses_another(
    broker: Stack, empty: Stack, new: Bus, folder: Path
) -> None:
    refused = await parley(empty, "restore", str(folder), settings={"PARLEY_HASH_KEY": "o" * 64})
    assert (refused.code, "PARLEY_HASH_KEY is not the one" in refused.err) == (1, True)
    assert await new.js.streams_info() == []


async def test_a_backup_whose_manifest_tells_no_key_refuses_another_once_its_streams_do(
    empty: Stack, new: Bus, folder: Path
) -> None:
    path = folder / "backup.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"key": ""}))
    refused = await parley(empty, "restore", str(folder), settings={"PARLEY_HASH_KEY": "o" * 64})
    assert (refused.code, "PARLEY_HASH_KEY is not the one" in refused.err) == (1, True)
    assert await new.js.streams_info() == []


async def test_where_only_the_declare_step_ran_a_backup_is_restored_with_its_own_fingerprint(
    tmp_path: Path, folder: Path
) -> None:
    """As in a cluster, where the declare step runs with the installation."""
    async with running_stack(tmp_path / "declared", BROKER_ONLY) as declared:
        key = {"PARLEY_HASH_KEY": declared.environment["PARLEY_HASH_KEY"]}
        ended = await parley(declared, "restore", str(folder), settings=key)
        assert (ended.code, ended.err) == (0, "")
        async with connected(declared) as bus:
            assert len(await history(bus, topology.HASH_KEY)) == 1
            assert await check_hash_key(bus, key["PARLEY_HASH_KEY"].encode())


async def test_a_broker_that_was_declared_under_another_key_is_refused_by_a_restore_that_has_no_key(
    new: Bus, empty: Stack, folder: Path
) -> None:
    """Services may run there under the other: they look at the fingerprint only when they start."""
    other = b"o" * 32
    await declare(new.js, topology.Limits())
    await keep_hash_key(new, other)
    said = await refusal(empty, "restore", str(folder))
    assert "the declare step ran here under another PARLEY_HASH_KEY" in said
    assert await check_hash_key(new, other)
    assert await read_restored(new) is None


async def test_a_restore_without_a_key_keeps_the_fingerprint_that_only_its_manifest_or_the_broker_tells(
    broker: Stack, bus: Bus, empty: Stack, new: Bus, tmp_path: Path
) -> None:
    key = broker.environment["PARLEY_HASH_KEY"]
    await bus.js.purge_stream(topology.CONTROL)
    ended = await parley(broker, "backup", str(tmp_path / "told"), settings={"PARLEY_HASH_KEY": key})
    assert ended.code == 0
    assert (await parley(empty, "restore", str(tmp_path / "told"))).code == 0
    assert await check_hash_key(new, key.encode())
    await done(broker, "backup", str(tmp_path / "untold"))
    await keep_hash_key(bus, b"o" * 32)
    assert (await parley(broker, "restore", str(tmp_path / "untold"))).code == 0
    assert await check_hash_key(bus, b"o" * 32)


async def test_where_nobody_knows_the_key_a_restore_says_that_the_declare_step_must_run(
    broker: Stack, bus: Bus, empty: Stack, new: Bus, tmp_path: Path
) -> None:
    await bus.js.purge_stream(topology.CONTROL)
    await done(broker, "backup", str(tmp_path / "backup"))
    ended = await parley(empty, "restore", str(tmp_path / "backup"))
    assert ended.code == 0
    assert "run the declare step" in ended.out + ended.err
    assert await read_fingerprint(new) is None


async def test_a_backup_of_a_release_without_fingerprints_gets_one_when_it_is_restored(
    broker: Stack, bus: Bus, empty: Stack, new: Bus, tmp_path: Path
) -> None:
    await bus.js.purge_stream(topology.CONTROL)
    await done(broker, "backup", str(tmp_path / "old"))
    ended = await parley(empty, "restore", str(tmp_path / "old"), settings={"PARLEY_HASH_KEY": "n" * 32})
    assert ended.code == 0
    assert await check_hash_key(new, b"n" * 32)


async def test_a_backup_is_for_its_owner_only_and_never_written_over(broker: Stack, folder: Path) -> None:
    assert modes(folder) == (0o700, {0o600})
    assert "is not empty" in await refusal(broker, "backup", str(folder))


async def test_a_backup_that_breaks_off_leaves_nothing_behind(broker: Stack, bus: Bus, tmp_path: Path) -> None:
    await bus.js.delete_stream(topology.CONSENT)
    assert "no stream CONSENT" in await refusal(broker, "backup", str(tmp_path / "backup"))
    assert list((tmp_path / "backup").iterdir()) == []


async def test_a_restore_brings_streams_to_the_limits_that_are_set_now(
    bus: Bus, empty: Stack, new: Bus, folder: Path
) -> None:
    limits = {"PARLEY_STREAM_MAX_AGE_S": "86400", "PARLEY_STREAM_MAX_BYTES": "50000000"}
    assert (await parley(empty, "restore", str(folder), settings=limits)).code == 0
    config = (await new.js.stream_info(topology.CONVERSATIONS)).config
    assert (config.max_age, config.max_bytes) == (86400.0, 50_000_000)
    assert await history(new, "conv.>") == await history(bus, "conv.>")
