"""The fingerprint of the hash key on the broker: written once, and nothing starts under another key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from harness.running import Running
from harness.stack import HASH_KEY, Stack
from harness.waiting import wait_until
from integration.common.connections import connected, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import HashKeyKept
from parley_common.hash_key import OTHER_KEY, check_hash_key, keep_hash_key, wait_same_hash_key
from parley_common.identity import Identity
from parley_common.settings import SettingsError

pytestmark = pytest.mark.anyio

OTHER = "o" * 32
SERVICES = ("ingress", "agent", "egress", "status")


async def kept(bus: Bus) -> Sequence[str]:
    """The fingerprints on the broker."""
    events = [stored.event() for stored in await history(bus, topology.HASH_KEY)]
    return [event.fingerprint for event in events if isinstance(event, HashKeyKept)]


async def last_sequences(bus: Bus) -> dict[str, int]:
    """How far each stream goes."""
    return {str(info.config.name): info.state.last_seq for info in await bus.js.streams_info()}


async def until_ended(process: Running) -> int:
    """The exit code of a process that ends by itself."""
    await wait_until(lambda: process.exit_code is not None, 20.0, what=f"the end of {process.row.name}")
    assert process.exit_code is not None
    return process.exit_code


async def test_the_declare_step_writes_it_once_and_it_does_not_tell_the_key(broker: Stack, bus: Bus) -> None:
    await broker.repeat("declare", {})
    assert await kept(bus) == [Identity(HASH_KEY.encode()).fingerprint()]
    (stored,) = await history(bus, topology.HASH_KEY)
    assert HASH_KEY not in stored.data.decode()


async def test_the_declare_step_refuses_another_key_and_changes_nothing(broker: Stack, bus: Bus) -> None:
    await bus.js.delete_consumer(topology.CONVERSATIONS, topology.AGENT_BELLS)
    with pytest.raises(AssertionError, match="ended with 1"):
        await broker.repeat("declare", {"PARLEY_HASH_KEY": OTHER, "PARLEY_STREAM_MAX_AGE_S": "7200"})
    assert OTHER_KEY in (broker.directory / "declare.log").read_text().splitlines()
    assert (await bus.js.stream_info(topology.CONVERSATIONS)).config.max_age == topology.Limits().max_age_s
    assert (await bus.js.stream_info(topology.CONVERSATIONS)).state.consumer_count == 4
    assert await kept(bus) == [Identity(HASH_KEY.encode()).fingerprint()]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_with_another_key_ends_with_a_sentence_and_touches_no_stream(
    broker: Stack, bus: Bus, service: str
) -> None:
    before = await last_sequences(bus)
    process = broker.prepare(f"{service}-other", service, {"PARLEY_HASH_KEY": OTHER})
    process.spawn()
    assert await until_ended(process) == 1
    assert OTHER_KEY in process.output
    assert "Traceback" not in process.output
    assert OTHER not in process.output
    assert await last_sequences(bus) == before


async def test_a_service_waits_for_the_declare_step_of_an_older_installation(broker: Stack, bus: Bus) -> None:
    await bus.js.purge_stream(topology.CONTROL)
    process = broker.prepare("agent-late", "agent", {})
    process.spawn()
    await wait_until(lambda: "the fingerprint of PARLEY_HASH_KEY" in process.output, what="the wait")
    assert not await process.is_ready()
    await broker.repeat("declare", {})
    await process.ready()


async def test_of_two_declare_steps_at_once_with_other_keys_one_is_refused(bus: Bus) -> None:
    await bus.js.purge_stream(topology.CONTROL)
    ended = await asyncio.gather(
        *(keep_hash_key(bus, key) for key in (b"a" * 32, b"b" * 32)), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ended) == ["NoneType", "SettingsError"]
    assert len(await kept(bus)) == 1


async def test_what_cannot_be_read_lets_nobody_start(bus: Bus) -> None:
    await bus.js.publish(topology.HASH_KEY, b"?")
    with pytest.raises(SettingsError, match="cannot be read"):
        await check_hash_key(bus, HASH_KEY.encode())


async def test_a_broker_that_is_gone_for_a_while_is_waited_for(broker: Stack) -> None:
    async with connected(broker) as bus:
        broker["nats"].kill()
        waiting = asyncio.create_task(wait_same_hash_key(bus, HASH_KEY.encode()))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await broker["nats"].start()
        async with asyncio.timeout(20):
            await waiting
