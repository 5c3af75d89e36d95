"""Doorbells over a real broker: what is acked, what rings again, and where."""

import asyncio

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.bell_listener import listening, open_bells, shorten_ack_wait, unacked
from integration.common.connections import a_text, connected
from parley_common import doorbells, topology
from parley_common.bells import BellSubscriber
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.doorbells import Bell, Busy, Highest

pytestmark = pytest.mark.anyio

TEXTS = topology.texts("c")


async def all_done(_conversation: str, highest: Highest) -> int:
    return highest()


async def nothing_left(bus: Bus) -> None:
    async def none() -> bool:
        return await open_bells(bus) == 0

    await wait_until(none, 15.0, what="an ack for every bell")


async def test_a_text_rings_and_is_acked_once_it_is_dealt_with(bus: Bus, broker: Stack) -> None:
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        await gate.wait()
        return highest()

    async with listening(broker, drain) as worker:
        await bus.publish(TEXTS, a_text())
        await wait_until(lambda: worker.delivered)
        assert await unacked(bus) == 1
        gate.set()
        await nothing_left(bus)
        assert len(worker.delivered) == 1


async def test_texts_of_many_conversations_are_worked_on_beside_one_another(bus: Bus, broker: Stack) -> None:
    begun: set[str] = set()
    gate = asyncio.Event()

    async def drain(conversation: str, highest: Highest) -> int:
        begun.add(conversation)
        await gate.wait()
        return highest()

    async with listening(broker, drain):
        for n in range(100):
            await bus.publish(topology.texts(f"c{n}"), a_text(f"c{n}"))
        await wait_until(lambda: len(begun) == 100, what="work on each conversation")
        gate.set()
        await nothing_left(bus)


async def test_a_bell_that_was_not_seen_done_rings_again(bus: Bus, broker: Stack) -> None:
    seen: list[int] = []

    async def drain(_conversation: str, highest: Highest) -> int:
        seen.append(highest())
        return highest() if len(seen) > 1 else 0

    async with listening(broker, drain) as worker:
        seq = await bus.publish(TEXTS, a_text())
        await wait_until(lambda: len(worker.delivered) == 2, what="a second ring")
        await nothing_left(bus)
        assert worker.delivered == [seq, seq]


async def test_a_busy_conversation_rings_again_within_seconds(bus: Bus, broker: Stack) -> None:
    times: list[float] = []

    async def drain(_conversation: str, highest: Highest) -> int:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            raise Busy
        return highest()

    async with listening(broker, drain):
        await bus.publish(TEXTS, a_text())
        await wait_until(lambda: len(times) == 2, 8.0, what="a second ring")
        await nothing_left(bus)
    assert 1.9 <= times[1] - times[0] <= 7.0


async def test_bytes_that_hold_no_event_ring_like_a_text(bus: Bus, broker: Stack) -> None:
    async with listening(broker, all_done) as worker:
        for data in (b"\xff", b"", b"0", b"not json"):
            await bus.js.publish(TEXTS, data)
        await wait_until(lambda: len(worker.delivered) == 4, what="four rings")
        await nothing_left(bus)


@pytest.mark.parametrize("beats", [True, False], ids=["kept alive", "not kept alive"])
async def test_a_bell_is_rung_again_only_where_nobody_keeps_it_alive(
    bus: Bus, broker: Stack, monkeypatch: pytest.MonkeyPatch, *, beats: bool
) -> None:
    monkeypatch.setattr(doorbells, "HEARTBEAT_S", 0.3)
    await shorten_ack_wait(bus, 1.0)
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        await gate.wait()
        return highest()

    async with listening(broker, drain, beats=beats) as worker:
        await bus.publish(TEXTS, a_text())
        await wait_until(lambda: worker.delivered)
        loop, begun_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        await wait_until(lambda: loop.time() > begun_s + 3.0 or len(worker.delivered) > 1)
        assert len(worker.delivered) == (1 if beats else 2)
        gate.set()
        await nothing_left(bus)


async def test_a_worker_that_stops_hands_back_what_it_cannot_end(bus: Bus, broker: Stack) -> None:
    async def never(_conversation: str, _highest: Highest) -> int:
        await asyncio.Event().wait()
        raise AssertionError

    async with listening(broker, never) as first:
        await bus.publish(TEXTS, a_text())
        await wait_until(lambda: first.delivered)
        begun_s = asyncio.get_running_loop().time()
    async with listening(broker, all_done) as second:
        await wait_until(lambda: second.delivered, 5.0, what="the bell at the second worker")
        await nothing_left(bus)
    assert asyncio.get_running_loop().time() - begun_s < topology.ACK_WAIT_S


async def test_work_under_way_outlives_the_broker(bus: Bus, broker: Stack) -> None:
    drained = 0

    async def drain(_conversation: str, highest: Highest) -> int:
        nonlocal drained
        drained += 1
        await bus.last(TEXTS)
        return highest()

    async with listening(broker, drain) as worker:
        await bus.publish(TEXTS, a_text())
        await wait_until(lambda: drained == 1)
        await broker["nats"].restart()
        async with connected(broker) as other:
            await other.publish(TEXTS, a_text())
            await wait_until(lambda: drained >= 2, 20.0, what="work after the restart")
            await nothing_left(other)
        assert worker.doorbells.conversations == 0


async def test_a_bell_answered_while_the_broker_is_gone_is_settled_later(bus: Bus, broker: Stack) -> None:
    gate = asyncio.Event()

    async def drain(_conversation: str, highest: Highest) -> int:
        await gate.wait()
        return highest()

    async with listening(broker, drain) as worker:
        await bus.publish(TEXTS, a_text())
        await wait_until(lambda: worker.delivered)
        broker["nats"].kill()
        await wait_until(lambda: not worker.bus.nc.is_connected)
        gate.set()
        await wait_until(lambda: worker.doorbells.conversations == 0)
        await broker["nats"].start()
        async with connected(broker) as other:
            await nothing_left(other)


async def nobody(_subject: str, _bell: Bell, _body: bytes) -> None:
    raise AssertionError


async def test_a_listener_is_ready_only_while_its_consumer_answers(bus: Bus, broker: Stack) -> None:
    subscriber = BellSubscriber(Broker(broker.nats_url), topology.AGENT_BELLS, nobody)
    assert await subscriber.problems(bus) == ["waiting for the broker and the declare step"]
    await subscriber.start()
    assert await subscriber.problems(bus) == []
    await bus.js.delete_consumer(topology.CONVERSATIONS, topology.AGENT_BELLS)
    (problem,) = await subscriber.problems(bus)
    assert topology.AGENT_BELLS in problem
    await subscriber.stop(bus)


async def test_a_listener_is_not_ready_while_the_broker_is_frozen(bus: Bus, broker: Stack) -> None:
    subscriber = BellSubscriber(Broker(broker.nats_url), topology.AGENT_BELLS, nobody)
    await subscriber.start()
    broker["nats"].pause()
    problems = await wait_until(lambda: subscriber.problems(bus), 5.0, what="a problem")
    assert "TimeoutError" in problems[0]
    broker["nats"].resume()
    await subscriber.stop(bus)
