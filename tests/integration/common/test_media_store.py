"""The bucket of media over a real broker: what is put is got, once, until it is full or has grown old."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from nats.js.api import ObjectMeta
from structlog.testing import capture_logs

from harness.cluster import Brokers
from harness.stack import Stack
from harness.waiting import wait_until
from parley_common import media_store, topology
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.declare import declare
from parley_common.domain.media_limits import MOST_BYTES
from parley_common.media_store import BucketFull, MediaStore

pytestmark = pytest.mark.anyio

NAME = "in/MM" + "a" * 32 + "/0"
LIMITS = topology.Limits()


def store_of(bus: Bus, *, kept_s: float = LIMITS.media_kept_s) -> MediaStore:
    return MediaStore(bus, kept_s=kept_s)


async def messages(bus: Bus) -> int:
    state = (await bus.js.stream_info(topology.MEDIA_STREAM)).state
    return int(state.messages)


@pytest.mark.parametrize("size", [0, 1, 128 * 1024, 128 * 1024 + 1, MOST_BYTES])
async def test_what_is_put_is_got_byte_for_byte(bus: Bus, size: int) -> None:
    data = os.urandom(size)
    held = await store_of(bus).put(NAME, data, "image/png")
    found = await store_of(bus).get(NAME)
    assert found is not None
    assert (found.data == data, found.content_type, held.size) == (True, "image/png", size)


async def test_what_was_never_put_is_nothing(bus: Bus) -> None:
    assert await store_of(bus).find(NAME) is None
    assert await store_of(bus).get(NAME) is None


async def test_what_is_too_large_is_refused_before_a_byte_of_it_is_kept(bus: Bus) -> None:
    with pytest.raises(ValueError, match=str(MOST_BYTES)):
        await store_of(bus).put(NAME, bytes(MOST_BYTES + 1), "image/png")
    assert await messages(bus) == 0


async def test_put_again_under_its_name_nothing_is_stored(bus: Bus) -> None:
    first = await store_of(bus).put(NAME, b"one", "image/png")
    before = await messages(bus)
    again = await store_of(bus).put(NAME, b"another", "image/gif")
    assert await messages(bus) == before
    assert (again.digest, again.content_type) == (first.digest, "image/png")
    found = await store_of(bus).get(NAME)
    assert found is not None
    assert found.data == b"one"


async def test_what_is_halfway_to_its_end_is_kept_anew(bus: Bus) -> None:
    first = await store_of(bus).put(NAME, b"one", "image/png")
    await asyncio.sleep(0.2)
    again = await store_of(bus, kept_s=0.2).put(NAME, b"one", "image/png")
    assert again.nuid != first.nuid
    found = await store_of(bus).find(NAME)
    assert found is not None
    assert found.nuid == again.nuid


async def test_two_who_put_the_same_at_once_leave_one_whole_object(bus: Bus) -> None:
    data = os.urandom(400_000)
    await asyncio.gather(*(store_of(bus).put(NAME, data, "image/png") for _ in range(5)))
    found = await store_of(bus).get(NAME)
    assert found is not None
    assert found.data == data


async def test_an_object_whose_bytes_are_gone_is_nothing(bus: Bus) -> None:
    held = await store_of(bus).put(NAME, b"x" * 300_000, "image/png")
    await bus.js.purge_stream(topology.MEDIA_STREAM, subject=topology.media_chunks(held.nuid))
    assert await store_of(bus).get(NAME) is None


async def test_an_object_whose_bytes_are_others_is_nothing(bus: Bus) -> None:
    held = await store_of(bus).put(NAME, b"one", "image/png")
    await bus.js.purge_stream(topology.MEDIA_STREAM, subject=topology.media_chunks(held.nuid))
    await bus.js.publish(topology.media_chunks(held.nuid), b"two")
    assert await store_of(bus).get(NAME) is None


async def test_an_object_is_one_for_every_client_of_nats(bus: Bus) -> None:
    data = os.urandom(300_000)
    bucket = await bus.js.object_store(topology.MEDIA)
    await store_of(bus).put(NAME, data, "image/png")
    theirs = await bucket.get(NAME)
    assert theirs.data == data
    assert theirs.info.headers == {"Content-Type": ["image/png"]}
    other = "out/" + "b" * 64
    await bucket.put(other, data, ObjectMeta(headers={"Content-Type": ["image/gif"]}))
    ours = await store_of(bus).get(other)
    assert ours is not None
    assert (ours.data == data, ours.content_type) == (True, "image/gif")
    await bucket.delete(other)
    assert await store_of(bus).get(other) is None
    assert await store_of(bus).find(other) is None


async def test_a_full_bucket_refuses_and_keeps_what_it_has(bus: Bus) -> None:
    await declare(bus.js, topology.Limits(media_max_bytes=1_000_000))
    await store_of(bus).put(NAME, b"x" * 700_000, "image/png")
    with pytest.raises(BucketFull):
        await store_of(bus).put("in/MM" + "b" * 32 + "/0", b"y" * 700_000, "image/png")
    assert await store_of(bus).find("in/MM" + "b" * 32 + "/0") is None
    found = await store_of(bus).get(NAME)
    assert found is not None
    assert len(found.data) == 700_000


async def test_a_full_bucket_gives_what_it_has_while_a_link_to_it_is_good(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declare(bus.js, topology.Limits(media_max_bytes=1_000_000))
    first = await store_of(bus).put(NAME, b"x" * 700_000, "image/png")
    store = store_of(bus, kept_s=0.5)
    await asyncio.sleep(0.3)  # more than half of how long that store takes it to be kept
    with pytest.raises(BucketFull):
        await store.put(NAME, b"x" * 700_000, "image/png")
    monkeypatch.setattr(media_store, "GOOD_FOR", timedelta(seconds=-60))
    with capture_logs() as logs:
        for _ in range(3):
            assert (await store.put(NAME, b"x" * 700_000, "image/png")).nuid == first.nuid
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_a_part_of_the_bucket_may_be_kept_free(bus: Bus) -> None:
    await declare(bus.js, topology.Limits(media_max_bytes=1_000_000))
    store = store_of(bus)
    await store.put("in/1/0", b"x" * 400_000, "image/png", of_bucket=0.9)
    await store.put("in/2/0", b"x" * 400_000, "image/png", of_bucket=0.9)
    with pytest.raises(BucketFull):
        await store.put("in/3/0", b"x" * 150_000, "image/png", of_bucket=0.9)
    with pytest.raises(BucketFull):
        await store_of(bus).put("in/3/0", b"x" * 150_000, "image/png", of_bucket=0.9)
    await store.put("out/" + "c" * 64, b"x" * 150_000, "image/png")


async def test_what_has_grown_old_is_gone(bus: Bus) -> None:
    config = (await bus.js.stream_info(topology.MEDIA_STREAM)).config
    config.max_age, config.duplicate_window = 1.0, 0.5
    await bus.js.update_stream(config)
    await store_of(bus).put(NAME, b"one", "image/png")

    async def gone() -> bool:
        return await store_of(bus).get(NAME) is None

    await wait_until(gone, 10.0, what="the object to have grown old")


async def test_without_a_broker_everything_is_broker_trouble(broker: Stack, bus: Bus) -> None:
    await store_of(bus).put(NAME, b"one", "image/png")
    broker["nats"].kill()
    for asked in (store_of(bus).get(NAME), store_of(bus).find(NAME), store_of(bus).put(NAME, b"x", "image/png")):
        with pytest.raises(BROKER_TROUBLE):
            await asked
    await broker["nats"].start()
    await wait_until(lambda: bus.nc.is_connected, 10.0, what="the connection being back")
    found = await store_of(bus).get(NAME)
    assert found is not None
    assert found.data == b"one"


async def test_without_its_bucket_it_is_broker_trouble_and_not_an_answer(bus: Bus) -> None:
    await bus.js.delete_stream(topology.MEDIA_STREAM)
    with pytest.raises(BROKER_TROUBLE):
        await store_of(bus).get(NAME)
    with pytest.raises(BROKER_TROUBLE):
        await store_of(bus).put(NAME, b"x", "image/png")


@asynccontextmanager
async def three_servers(directory: Path) -> AsyncIterator[tuple[Brokers, Bus]]:
    brokers = Brokers(directory, 3)
    await brokers.start()
    bus = Bus(Broker(brokers.url), name="test")
    await bus.connect()
    try:
        await wait_until(lambda: _declared(bus), 60.0, what="three servers holding all streams")
        yield brokers, bus
    finally:
        await bus.close()
        await brokers.stop()


async def _declared(bus: Bus) -> bool:
    try:
        await declare(bus.js, topology.Limits(replicas=3, max_bytes=50_000_000, media_max_bytes=50_000_000))
    except BROKER_TROUBLE:
        return False
    return True


async def test_of_three_servers_one_may_die_and_nothing_is_lost(tmp_path: Path) -> None:
    async with three_servers(tmp_path) as (brokers, bus):
        data = os.urandom(1_000_000)
        await store_of(bus).put(NAME, data, "image/png")
        cluster = (await bus.js.stream_info(topology.MEDIA_STREAM)).cluster
        assert cluster is not None
        brokers.running[str(cluster.leader)].kill()

        async def got() -> bool:
            try:
                found = await store_of(bus).get(NAME)
            except BROKER_TROUBLE:
                return False
            assert found is not None, "the object is forgotten"
            return found.data == data

        await wait_until(got, 40.0, what="the object from the servers that are left")

        async def put() -> bool:
            try:
                await store_of(bus).put("out/" + "c" * 64, data, "image/png")
            except BROKER_TROUBLE:
                return False
            return True

        await wait_until(put, 40.0, what="another object being kept by two servers")
