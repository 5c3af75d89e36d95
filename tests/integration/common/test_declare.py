"""The declare step: idempotent, mends what is missing or differs, and says what is wrong."""

import asyncio
import os
import subprocess
import sys

import pytest
from nats.js.api import ConsumerConfig

from harness.stack import Stack
from integration.common.connections import a_text, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.declare import declare, wait_declared
from parley_common.media_store import MediaStore, Medium

pytestmark = pytest.mark.anyio

LIMITS = topology.Limits()
TEXTS = topology.texts("c")
ALL = frozenset(consumer.durable for consumer in topology.CONSUMERS)


async def consumer_config(bus: Bus, stream: str, durable: str) -> ConsumerConfig:
    config: ConsumerConfig = (await bus.js.consumer_info(stream, durable)).config
    return config


async def test_everything_is_there_after_it(bus: Bus) -> None:
    assert {info.config.name for info in await bus.js.streams_info()} == {
        config.name for config in topology.streams(LIMITS)
    }
    for consumer in topology.CONSUMERS:
        config = await consumer_config(bus, consumer.stream, consumer.durable)
        assert config.filter_subject == consumer.subject
        assert (config.max_ack_pending, config.max_deliver) == (-1, -1)


async def test_done_again_it_loses_nothing(bus: Bus) -> None:
    await bus.publish(TEXTS, a_text())
    before = await bus.js.consumer_info(topology.CONVERSATIONS, topology.AGENT_BELLS)
    await declare(bus.js, LIMITS)
    await declare(bus.js, LIMITS)
    after = await bus.js.consumer_info(topology.CONVERSATIONS, topology.AGENT_BELLS)
    assert len(await history(bus, TEXTS)) == 1
    assert after.created == before.created
    assert after.num_pending == 1


async def test_a_missing_consumer_comes_back_and_rings_for_each_conversation_once(bus: Bus) -> None:
    await bus.js.delete_consumer(topology.CONVERSATIONS, topology.AGENT_BELLS)
    for conversation in ("c", "c", "d"):
        await bus.publish(topology.texts(conversation), a_text(conversation))
    await declare(bus.js, LIMITS)
    info = await bus.js.consumer_info(topology.CONVERSATIONS, topology.AGENT_BELLS)
    assert info.num_pending == 2


async def test_a_missing_stream_comes_back_with_its_consumers(bus: Bus) -> None:
    await bus.js.delete_stream(topology.REPORTS)
    await declare(bus.js, LIMITS)
    await wait_declared(bus.js, ALL)


async def test_another_limit_is_applied_to_a_stream_that_holds_events(bus: Bus) -> None:
    await bus.publish(TEXTS, a_text())
    await declare(bus.js, topology.Limits(max_age_s=7200.0, max_bytes=50_000_000))
    config = (await bus.js.stream_info(topology.CONVERSATIONS)).config
    assert (config.max_age, config.max_bytes, config.duplicate_window) == (7200.0, 50_000_000, 7200.0)
    assert len(await history(bus, TEXTS)) == 1


async def test_another_limit_is_applied_to_a_bucket_that_holds_media(bus: Bus) -> None:
    store = MediaStore(bus, kept_s=LIMITS.media_kept_s)
    await store.put("in/x/0", b"a picture", "image/png")
    await declare(bus.js, topology.Limits(media_max_age_s=3600.0, media_max_bytes=60_000_000))
    config = (await bus.js.stream_info(topology.MEDIA_STREAM)).config
    assert (config.max_age, config.max_bytes, config.allow_rollup_hdrs) == (3600.0, 60_000_000, True)
    assert await store.get("in/x/0") == Medium(b"a picture", "image/png")


async def test_a_consumer_that_was_changed_by_hand_is_changed_back(bus: Bus) -> None:
    changed = topology.Consumer(
        stream=topology.CONVERSATIONS, durable=topology.AGENT_BELLS, subject=topology.ALL_TEXTS
    ).config()
    changed.deliver_policy = (
        await consumer_config(bus, topology.CONVERSATIONS, topology.AGENT_BELLS)
    ).deliver_policy
    changed.ack_wait, changed.max_ack_pending = 77.0, 1
    await bus.js.add_consumer(topology.CONVERSATIONS, changed)
    await declare(bus.js, LIMITS)
    config = await consumer_config(bus, topology.CONVERSATIONS, topology.AGENT_BELLS)
    assert (config.ack_wait, config.max_ack_pending) == (topology.ACK_WAIT_S, -1)


async def test_who_waits_for_it_goes_on_once_it_is_done(bus: Bus) -> None:
    await bus.js.delete_consumer(topology.CONVERSATIONS, topology.EGRESS_BELLS)
    async with asyncio.timeout(5):
        await wait_declared(bus.js, ALL - {topology.EGRESS_BELLS})
    waiting = asyncio.create_task(wait_declared(bus.js, frozenset({topology.EGRESS_BELLS})))
    done, _ = await asyncio.wait([waiting], timeout=0.6)
    assert not done
    await declare(bus.js, LIMITS)
    async with asyncio.timeout(5):
        await waiting


async def test_who_waits_for_it_waits_for_every_stream(bus: Bus) -> None:
    await bus.js.delete_stream(topology.DEAD_LETTERS)
    waiting = asyncio.create_task(wait_declared(bus.js, frozenset()))
    done, _ = await asyncio.wait([waiting], timeout=0.6)
    assert not done
    await declare(bus.js, LIMITS)
    async with asyncio.timeout(5):
        await waiting


def run_command(broker: Stack, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "parley_common.declare"],
        env={**os.environ, **broker.environment, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


async def test_as_a_command_it_may_be_run_again(broker: Stack) -> None:
    again = await asyncio.to_thread(run_command, broker)
    assert again.returncode == 0, again.stderr
    assert '"declared"' in again.stdout


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"PARLEY_STREAM_REPLICAS": "none"}, "PARLEY_STREAM_REPLICAS is 'none'", id="a wrong setting"),
        pytest.param({"PARLEY_HASH_KEY": ""}, "PARLEY_HASH_KEY is not set", id="no key"),
        pytest.param(
            {"PARLEY_STREAM_REPLICAS": "3"}, "JetStream refused the declaration", id="one server, three replicas"
        ),
    ],
)
async def test_as_a_command_it_says_in_a_sentence_what_is_wrong(
    broker: Stack, settings: dict[str, str], words: str
) -> None:
    ended = await asyncio.to_thread(run_command, broker, **settings)
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
