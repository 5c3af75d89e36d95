"""The broker as Parley uses it: publish once, read from the leader, outlive the broker's absence."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.msg import Msg
from nats.errors import MaxPayloadError
from nats.js.errors import APIError, NotFoundError

from harness.running import Running
from harness.stack import BROKER_ONLY, Stack, running_stack
from harness.waiting import wait_until
from integration.common.connections import a_text, connected, history
from parley_common import topology, tracing
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus

pytestmark = pytest.mark.anyio

TEXTS = topology.texts("c")


def crash(process: Running) -> None:
    process.kill()
    assert not process.is_alive


async def test_an_event_published_twice_is_stored_once(bus: Bus) -> None:
    text = a_text()
    first = await bus.publish(TEXTS, text, dedupe=True)
    assert await bus.publish(TEXTS, text, dedupe=True) == first
    assert len(await history(bus, TEXTS)) == 1


async def test_a_repeat_is_known_after_the_broker_crashed(bus: Bus, broker: Stack) -> None:
    text = a_text()
    first = await bus.publish(TEXTS, text, dedupe=True)
    await bus.publish(TEXTS, a_text(), dedupe=True)
    await broker["nats"].restart()
    async with connected(broker) as other:
        assert await other.publish(TEXTS, text, dedupe=True) == first
        assert len(await history(other, TEXTS)) == 2


async def test_an_event_that_may_repeat_is_stored_each_time(bus: Bus) -> None:
    text = a_text()
    await bus.publish(TEXTS, text)
    await bus.publish(TEXTS, text)
    assert len(await history(bus, TEXTS)) == 2


async def test_what_is_stored_comes_back_whole(bus: Bus) -> None:
    text = a_text(body="ünï 👩‍👧 \n")
    with tracing.span("test"):
        seq = await bus.publish(TEXTS, text, dedupe=True)
    stored = await bus.last(TEXTS)
    assert stored is not None
    assert (stored.seq, stored.subject, stored.event()) == (seq, TEXTS, text)
    assert stored.headers["content-type"] == "application/json"
    assert stored.headers["Nats-Msg-Id"] == text.id
    assert abs(datetime.now(UTC) - stored.time) < timedelta(seconds=60)


async def test_the_last_is_the_newest_of_all_that_a_wildcard_covers(bus: Bus) -> None:
    await bus.publish(topology.turn_begun("c"), a_text())
    newest = await bus.publish(topology.turn_done("c"), a_text())
    await bus.publish(topology.turn_done("d"), a_text())
    await bus.publish(topology.sends("c"), a_text())
    last = await bus.last(topology.own("c"))
    assert last is not None
    assert (last.seq, last.subject) == (newest, topology.turn_done("c"))


async def test_the_next_is_the_first_at_or_after_a_sequence_on_its_subject(bus: Bus) -> None:
    first = await bus.publish(TEXTS, a_text())
    await bus.publish(topology.texts("d"), a_text())
    third = await bus.publish(TEXTS, a_text())

    async def following(seq: int) -> int | None:
        stored = await bus.next(TEXTS, seq=seq)
        return stored.seq if stored else None

    assert [await following(seq) for seq in (first, first + 1, third, third + 1)] == [first, third, third, None]


async def test_a_subject_nobody_wrote_to_is_empty(bus: Bus) -> None:
    assert await bus.last(TEXTS) is None
    assert await bus.next(TEXTS, seq=1) is None


async def test_a_stream_that_is_not_there_is_an_error_and_not_an_empty_one(bus: Bus) -> None:
    await bus.js.delete_stream(topology.CONVERSATIONS)
    with pytest.raises(NotFoundError):
        await bus.last(TEXTS)
    with pytest.raises(NotFoundError):
        await bus.next(TEXTS, seq=1)
    assert issubclass(NotFoundError, BROKER_TROUBLE), "work on it is put off, not given up"


async def test_what_decides_is_asked_of_the_leader(bus: Bus, broker: Stack) -> None:
    asked: list[str] = []

    async def note(message: Msg) -> None:
        asked.append(message.subject)

    async with connected(broker) as listener:
        await listener.nc.subscribe("$JS.API.>", cb=note)
        await listener.nc.flush()
        await bus.last(TEXTS)
        await bus.next(TEXTS, seq=1)
        await wait_until(lambda: len(asked) >= 2, what="two requests")
    assert set(asked) == {f"$JS.API.STREAM.MSG.GET.{topology.CONVERSATIONS}"}


async def test_a_full_stream_refuses_and_keeps_what_it_has(broker: Stack, bus: Bus) -> None:
    full = a_text(body="x" * 60_000)
    config = (await bus.js.stream_info(topology.CONVERSATIONS)).config
    config.max_bytes = 1_000_000
    await bus.js.update_stream(config)
    first = await bus.publish(TEXTS, full)

    async def overfill() -> None:
        for _ in range(20):
            await bus.publish(TEXTS, full)

    with pytest.raises(APIError, match="maximum bytes"):
        await overfill()
    kept = await bus.next(TEXTS, seq=1)
    assert kept is not None
    assert kept.seq == first


@pytest.mark.parametrize("dedupe", [True, False])
async def test_an_event_too_large_for_the_broker_is_refused(bus: Bus, *, dedupe: bool) -> None:
    with pytest.raises(MaxPayloadError):
        await bus.publish(TEXTS, a_text(body="x" * 1_100_000), dedupe=dedupe)


async def test_a_connection_waits_for_a_broker_that_is_not_there_yet(broker: Stack) -> None:
    crash(broker["nats"])
    bus = Bus(Broker(broker.nats_url), name="test")
    connecting = asyncio.create_task(bus.connect())
    await wait_until(lambda: bus.nc.last_error is not None, what="a first attempt")
    assert not connecting.done()
    await broker["nats"].start()
    async with asyncio.timeout(10):
        await connecting
    await bus.stream_answers(topology.CONVERSATIONS, timeout_s=5.0)
    await bus.close()


async def test_a_frozen_broker_does_not_count_as_an_answer(bus: Bus, broker: Stack) -> None:
    await bus.stream_answers(topology.CONVERSATIONS, timeout_s=5.0)
    broker["nats"].pause()

    async def unanswered() -> bool:
        try:
            await bus.stream_answers(topology.CONVERSATIONS, timeout_s=0.3)
        except BROKER_TROUBLE:
            return True
        return False  # a thread of the broker was still running

    await wait_until(unanswered, 5.0, what="a question without an answer")


async def test_a_bus_closes_without_its_broker(broker: Stack) -> None:
    bus = Bus(Broker(broker.nats_url), name="test")
    await bus.connect()
    crash(broker["nats"])
    async with asyncio.timeout(5):
        await bus.close()
    assert bus.nc.is_closed


async def test_a_bus_closes_without_its_broker_with_answers_still_to_be_sent(broker: Stack) -> None:
    bus = Bus(Broker(broker.nats_url), name="test")
    await bus.connect()
    crash(broker["nats"])
    await wait_until(lambda: not bus.nc.is_connected, what="the loss of the connection")
    await bus.nc.publish("a.bell", b"+ACK")
    await bus.close()


async def test_a_bus_that_never_connected_closes(broker: Stack) -> None:
    crash(broker["nats"])
    bus = Bus(Broker(broker.nats_url), name="test")
    connecting = asyncio.create_task(bus.connect())
    await wait_until(lambda: bus.nc.last_error is not None, what="a first attempt")
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    async with asyncio.timeout(5):
        await bus.close()


async def test_limits_of_the_environment_reach_the_broker(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {"PARLEY_STREAM_MAX_BYTES": "2000000", "PARLEY_STREAM_MAX_AGE_S": "7200"}
    async with (
        running_stack(tmp_path_factory.mktemp("limits"), BROKER_ONLY, settings) as stack,
        connected(stack) as bus,
    ):
        config = (await bus.js.stream_info(topology.CONVERSATIONS)).config
        assert (config.max_bytes, config.max_age) == (2_000_000, 7200.0)
