"""What ``parley restore`` makes of an empty broker: all that was saved, and sending paused before it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from nats.js.api import ConsumerInfo

from harness.stack import BROKER_ONLY, Stack, running_stack
from integration.cli.command import done
from integration.cli.streams import Kept, declared, event_of, fill, kept
from integration.common.connections import a_text, connected, history
from parley_cli.manifest import IN_ORDER
from parley_common import topology
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL, read_restored, read_switch
from parley_common.events import InboundMessage
from parley_dev.processes import BROKER

pytestmark = pytest.mark.anyio

OTHERS = sorted(set(IN_ORDER) - {topology.CONTROL})
COUNTER = topology.spent("default", "2026-11-21")


@dataclass(frozen=True)
class Restored:
    """The new broker, and what both held when the restore had just ended."""

    stack: Stack
    bus: Bus
    saved: dict[str, Kept]
    found: dict[str, Kept]
    saved_config: dict[str, Any]
    found_config: dict[str, Any]
    consumers: dict[str, ConsumerInfo]
    taken_at: str
    said: str


@pytest.fixture(scope="module")
async def restored(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Restored]:
    """One restore for all tests here; they only add to what it has made."""
    folder = tmp_path_factory.mktemp("restored")
    backup = folder / "backup"
    async with running_stack(folder / "old", BROKER_ONLY) as old, connected(old) as old_bus:
        await fill(old_bus)
        await _read_a_little(old_bus)
        await done(old, "backup", str(backup))
        async with running_stack(folder / "new", (BROKER,)) as new, connected(new) as bus:
            said = await done(new, "restore", str(backup))
            yield Restored(
                stack=new,
                bus=bus,
                saved=await kept(old_bus),
                found=await kept(bus),
                saved_config=await declared(old_bus),
                found_config=await declared(bus),
                consumers=await _consumers(bus),
                taken_at=json.loads((backup / "backup.json").read_text())["taken_at"],
                said=said,
            )


async def _read_a_little(bus: Bus) -> None:
    """Bells and folds that are acked, and a consumer of the operator's own."""
    await bus.js.pull_subscribe("conv.*.in", durable="export", stream=topology.CONVERSATIONS)
    for durable, count in ((topology.AGENT_BELLS, 40), (topology.STATUS_CONVERSATIONS, 30), ("export", 7)):
        reader = await bus.js.pull_subscribe_bind(durable, topology.CONVERSATIONS)
        for message in await reader.fetch(count, timeout=5):
            await message.ack_sync()


async def _consumers(bus: Bus) -> dict[str, ConsumerInfo]:
    names = (topology.AGENT_BELLS, topology.STATUS_CONVERSATIONS, "export")
    return {name: await bus.js.consumer_info(topology.CONVERSATIONS, name) for name in names}


@pytest.mark.parametrize("stream", OTHERS)
async def test_a_stream_comes_back_with_its_sequences_times_and_headers(restored: Restored, stream: str) -> None:
    assert restored.saved[stream].messages
    assert restored.found[stream] == restored.saved[stream]


async def test_what_the_operator_said_before_comes_back_too(restored: Restored) -> None:
    saved, found = (kept[topology.CONTROL].messages for kept in (restored.saved, restored.found))
    assert saved
    assert found[: len(saved)] == saved


async def test_everything_is_declared_as_it_was(restored: Restored) -> None:
    assert restored.found_config == restored.saved_config


async def test_sending_is_paused_before_there_is_anything_to_send(restored: Restored) -> None:
    switch = await read_switch(restored.bus, EVERY_CHANNEL)
    assert switch is not None
    assert switch.paused
    assert "restored from the backup of" in switch.reason
    stored = await restored.bus.last(topology.switch(EVERY_CHANNEL))
    assert stored is not None
    for stream in OTHERS:
        created = (await restored.bus.js.stream_info(stream)).created
        assert created is not None
        assert created > stored.time, stream
    assert "restored from the backup of" in await done(restored.stack, "switches")


async def test_all_that_was_saved_is_older_than_the_restore_and_all_that_follows_younger(
    restored: Restored,
) -> None:
    event = await read_restored(restored.bus)
    assert event is not None
    assert event.taken_at.isoformat().replace("+00:00", "Z") == restored.taken_at
    for stream in OTHERS:
        assert all(message.time < event.at for message in restored.found[stream].messages), stream
    await restored.bus.publish(topology.texts("young"), a_text("young"))
    (young,) = await history(restored.bus, topology.texts("young"))
    assert young.time > event.at


async def test_what_comes_after_goes_on_where_the_backup_ended(restored: Restored) -> None:
    last = restored.saved[topology.REPORTS].last_seq
    assert await restored.bus.publish(topology.reports("c", "next"), a_text()) == last + 1
    before = int(json.loads(restored.saved[topology.COUNTERS].messages[-1].data)["val"])
    assert await restored.bus.count(COUNTER, 1) == before + 1


async def test_every_conversation_rings_once_whatever_was_acked_before(restored: Restored) -> None:
    """An ack may be younger than the answer that the snapshot holds."""
    bells = restored.consumers[topology.AGENT_BELLS]
    assert (bells.num_pending, bells.num_ack_pending) == (2, 0)


async def test_status_folds_all_anew_since_it_may_have_lost_its_database(restored: Restored) -> None:
    folds = restored.consumers[topology.STATUS_CONVERSATIONS]
    assert folds.num_pending == len(restored.saved[topology.CONVERSATIONS].messages)


async def test_a_consumer_of_the_operators_own_comes_back_as_it_stood(restored: Restored) -> None:
    export = restored.consumers["export"]
    assert export.ack_floor is not None
    assert (export.ack_floor.stream_seq, export.num_pending) == (7, 33)


async def test_once_the_broker_was_restarted_a_text_of_the_backup_is_not_stored_again(restored: Restored) -> None:
    assert "restart the broker" in restored.said
    text = event_of(restored.found[topology.CONVERSATIONS].messages[0])
    assert isinstance(text, InboundMessage)
    await restored.stack[BROKER].restart()
    before = (await restored.bus.js.stream_info(topology.CONVERSATIONS)).state.last_seq
    assert await restored.bus.publish(topology.texts("c"), text, dedupe=True) == 1
    assert (await restored.bus.js.stream_info(topology.CONVERSATIONS)).state.last_seq == before
