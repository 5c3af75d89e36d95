"""How far consumers are behind, against a real broker: held, out of order, handed out again, declared anew."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import pytest
from nats.aio.msg import Msg
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from harness.stack import BROKER_ONLY, Stack, running_stack
from harness.waiting import wait_until
from integration.common.connections import a_text, connected
from parley_common import lag, topology
from parley_common.broker import Broker
from parley_common.bus import Bus, Stored
from parley_common.declare import declare_again
from parley_common.lag import Lag

pytestmark = pytest.mark.anyio

AGENT, STATUS = (
    next(one for one in topology.CONSUMERS if one.durable == durable)
    for durable in (topology.AGENT_BELLS, topology.STATUS_CONVERSATIONS)
)


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """One broker for all tests that do not hurt it."""
    async with running_stack(tmp_path_factory.mktemp("stack"), BROKER_ONLY) as stack:
        yield stack


@pytest.fixture
async def bus(shared: Stack) -> AsyncIterator[Bus]:
    """A connection to it. Its streams are empty, its consumers new."""
    async with connected(shared) as bus:
        for consumer in (AGENT, STATUS):
            await bus.js.purge_stream(consumer.stream)
            await bus.js.delete_consumer(consumer.stream, consumer.durable)
        await declare_again(bus.js, frozenset({AGENT.durable, STATUS.durable}))
        yield bus


async def store(bus: Bus, *conversations: str) -> list[datetime]:
    """A text of each of these; returns when the broker stored them."""
    times = []
    for place, conversation in enumerate(conversations):
        subject = topology.texts(conversation)
        await bus.publish(subject, a_text(conversation, str(place)))
        stored = await bus.last(subject)
        assert stored is not None
        times.append(stored.time)
    return times


async def take(bus: Bus, count: int, consumer: topology.Consumer = AGENT) -> Sequence[Msg]:
    """Is handed so many messages and acks none."""
    reader = await bus.js.pull_subscribe_bind(consumer.durable, consumer.stream)
    messages: list[Msg] = []
    while len(messages) < count:
        messages += await reader.fetch(count - len(messages), timeout=5)
    return messages


async def test_nothing_stored_is_no_lag(bus: Bus) -> None:
    look = await Lag(bus, [AGENT.durable]).look(AGENT)
    assert (look.count, look.since) == (0, None)


async def test_what_nobody_has_taken_is_lag_as_old_as_the_oldest_of_it(bus: Bus) -> None:
    times = await store(bus, "a", "b", "a")
    look = await Lag(bus, [AGENT.durable]).look(AGENT)
    assert (look.count, look.since) == (3, times[0])


async def test_a_held_bell_is_lag_until_it_is_acked(bus: Bus) -> None:
    watch = Lag(bus, [AGENT.durable])
    times = await store(bus, "a", "b")
    first, second = await take(bus, 2)
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (2, times[0])
    await first.ack_sync()
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (1, times[1])
    await second.ack_sync()
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (0, None)


async def test_the_oldest_counts_however_much_of_what_came_later_is_acked(bus: Bus) -> None:
    watch = Lag(bus, [AGENT.durable])
    times = await store(bus, "a", "b", "c", "d")
    messages = await take(bus, 4)
    for late in (messages[3], messages[1], messages[2]):
        await late.ack_sync()
        assert (await watch.look(AGENT)).since == times[0]
    assert (await watch.look(AGENT)).count == 1
    await messages[0].ack_sync()
    assert (await watch.look(AGENT)).since is None


async def test_what_is_handed_out_again_is_as_old_as_before(bus: Bus) -> None:
    watch = Lag(bus, [AGENT.durable])
    times = await store(bus, "a", "b", "c")
    messages = await take(bus, 3)
    await messages[0].ack_sync()
    await messages[2].ack_sync()
    await messages[1].nak()
    (again,) = await take(bus, 1)
    assert again.metadata.num_delivered == 2
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (1, times[1])


async def test_events_of_other_subjects_are_passed_over(bus: Bus) -> None:
    (first,) = await store(bus, "a")
    (message,) = await take(bus, 1)
    await message.ack_sync()
    for _ in range(3):
        await bus.publish(topology.reports("a", "p"), a_text())
        await bus.publish(topology.notifications("a"), a_text())
    (second,) = await store(bus, "b")
    look = await Lag(bus, [AGENT.durable]).look(AGENT)
    assert (look.count, look.since) == (1, second)
    everything = await Lag(bus, [STATUS.durable]).look(STATUS)
    assert (everything.count, everything.since) == (5, first)


async def test_a_consumer_that_is_declared_anew_makes_nothing_older_than_itself(bus: Bus) -> None:
    watch = Lag(bus, [AGENT.durable])
    times = await store(bus, "a", "a", "b")
    for message in await take(bus, 3):
        await message.ack_sync()
    assert (await watch.look(AGENT)).since is None
    await bus.js.delete_consumer(AGENT.stream, AGENT.durable)
    await declare_again(bus.js, frozenset({AGENT.durable}))
    created = (await bus.js.consumer_info(AGENT.stream, AGENT.durable)).created
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (2, created)
    assert created > times[-1]
    for message in await take(bus, 2):
        await message.ack_sync()
    (later,) = await store(bus, "c")
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (1, later)


async def test_a_held_message_that_is_erased_is_no_lag_any_more(bus: Bus) -> None:
    watch = Lag(bus, [AGENT.durable])
    times = await store(bus, "a", "b")
    messages = await take(bus, 2)
    assert (await watch.look(AGENT)).since == times[0]
    await bus.js.delete_msg(AGENT.stream, messages[0].metadata.sequence.stream)
    look = await watch.look(AGENT)
    assert (look.count, look.since) == (1, times[1])


def shown(name: str) -> float:
    value = REGISTRY.get_sample_value(name, {"consumer": AGENT.durable})
    assert value is not None
    return value


@asynccontextmanager
async def looking(watch: Lag) -> AsyncIterator[None]:
    task = asyncio.create_task(watch.keep_looking())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Garbled(Bus):
    """A connection whose broker answers what nats-py cannot read, or as it should."""

    garbles = True

    async def next(self, subject: str, *, seq: int) -> Stored | None:
        if self.garbles:
            raise ValueError("not what was expected")
        return await super().next(subject, seq=seq)


async def test_an_answer_that_cannot_be_read_is_told_of_once_and_looked_past(
    broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "EVERY_S", 0.05)
    bus = Garbled(Broker(broker.nats_url), name="test")
    await bus.connect()
    watch = Lag(bus, [AGENT.durable])
    await bus.publish(topology.texts("a"), a_text("a"))
    with capture_logs() as logs:
        async with looking(watch):
            await wait_until(lambda: logs, what="the trouble in the log")
            await asyncio.sleep(0.3)
            assert math.isnan(shown("parley_lag"))
            bus.garbles = False
            await wait_until(lambda: shown("parley_lag") == 1, what="the number being known")
    assert [(log["log_level"], log["error"]) for log in logs] == [("error", "ValueError")]
    await bus.close()


async def test_the_gauges_are_unknown_until_the_first_look_and_tell_of_a_broker_that_is_gone(
    broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "EVERY_S", 0.1)
    monkeypatch.setattr(lag, "STALE_S", 1.0)
    async with connected(broker) as bus:
        watch = Lag(bus, [AGENT.durable])
        assert math.isnan(shown("parley_lag"))
        assert math.isnan(shown("parley_lag_seconds"))
        async with looking(watch):
            await wait_until(lambda: shown("parley_lag") == 0 == shown("parley_lag_seconds"), what="no lag")
            await store(bus, "a")
            await wait_until(lambda: shown("parley_lag") == 1, what="a text's lag")
            broker["nats"].kill()
            await wait_until(lambda: math.isnan(shown("parley_lag")), what="the number being unknown")
            before_s = shown("parley_lag_seconds")
            await wait_until(lambda: shown("parley_lag_seconds") > before_s + 0.5, what="the age growing")
            await broker["nats"].start()
            await wait_until(lambda: shown("parley_lag") == 1, 20.0, what="the number being known again")
            (message,) = await take(bus, 1)
            await message.ack_sync()
            await wait_until(lambda: shown("parley_lag_seconds") == 0, what="no lag")
            broker["nats"].kill()
            await wait_until(lambda: math.isnan(shown("parley_lag_seconds")), what="an old 0 being forgotten")
            await broker["nats"].start()
