"""Appending to a chain: each event follows the one its writer knew of, or it is refused."""

import asyncio

import pytest
from nats.errors import MaxPayloadError
from structlog.testing import capture_logs

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.connections import a_text, connected, history
from parley_common import bus as bus_module
from parley_common import topology
from parley_common.bus import Bus, Superseded

pytestmark = pytest.mark.anyio

BEGUN, DONE, CHAIN = topology.turn_begun("c"), topology.turn_done("c"), topology.own("c")
WAITING = "append waits for the broker"


async def test_events_of_a_chain_follow_one_another_over_all_its_subjects(bus: Bus) -> None:
    first = await bus.append(BEGUN, a_text(), after=0, chain=CHAIN)
    second = await bus.append(DONE, a_text(), after=first, chain=CHAIN)
    third = await bus.append(BEGUN, a_text(), after=second, chain=CHAIN)
    assert [stored.seq for stored in await history(bus, CHAIN)] == [first, second, third]


@pytest.mark.parametrize("subject", [BEGUN, DONE], ids=["same subject", "other subject of the chain"])
async def test_a_writer_that_missed_an_event_is_refused(bus: Bus, subject: str) -> None:
    first = await bus.append(DONE, a_text(), after=0, chain=CHAIN)
    second = await bus.append(DONE, a_text(), after=first, chain=CHAIN)
    for outdated in (0, first, second + 1):
        with pytest.raises(Superseded):
            await bus.append(subject, a_text(), after=outdated, chain=CHAIN)
    assert len(await history(bus, CHAIN)) == 2


async def test_what_happens_outside_of_a_chain_does_not_disturb_it(bus: Bus) -> None:
    first = await bus.append(DONE, a_text(), after=0, chain=CHAIN)
    await bus.publish(topology.texts("c"), a_text())
    await bus.publish(topology.sends("c"), a_text())
    await bus.append(topology.turn_done("d"), a_text("d"), after=0, chain=topology.own("d"))
    await bus.append(DONE, a_text(), after=first, chain=CHAIN)


async def test_a_write_whose_ack_was_lost_is_recognised(bus: Bus) -> None:
    event = a_text()
    seq = await bus.append(DONE, event, after=0, chain=CHAIN)
    assert await bus.append(DONE, event, after=0, chain=CHAIN) == seq
    assert len(await history(bus, CHAIN)) == 1


async def test_a_write_whose_ack_was_lost_is_recognised_by_its_id_and_not_by_its_place(bus: Bus) -> None:
    await bus.append(DONE, a_text(), after=0, chain=CHAIN)
    with pytest.raises(Superseded):
        await bus.append(DONE, a_text(), after=0, chain=CHAIN)


async def test_a_repeated_write_that_others_have_built_on_is_superseded(bus: Bus) -> None:
    event = a_text()
    seq = await bus.append(DONE, event, after=0, chain=CHAIN)
    await bus.append(BEGUN, a_text(), after=seq, chain=CHAIN)
    with pytest.raises(Superseded):
        await bus.append(DONE, event, after=0, chain=CHAIN)
    assert len(await history(bus, CHAIN)) == 2


async def test_of_writers_that_race_exactly_one_wins(bus: Bus, broker: Stack) -> None:
    async with connected(broker) as second, connected(broker) as third:
        tail = 0
        for _ in range(50):
            writes = (writer.append(DONE, a_text(), after=tail, chain=CHAIN) for writer in (bus, second, third))
            results = await asyncio.gather(*writes, return_exceptions=True)
            won = [result for result in results if isinstance(result, int)]
            assert len(won) == 1, results
            assert sum(isinstance(result, Superseded) for result in results) == 2
            (tail,) = won
    assert len(await history(bus, CHAIN)) == 50


async def test_an_append_waits_for_a_broker_that_is_gone(bus: Bus, broker: Stack) -> None:
    first = await bus.append(DONE, a_text(), after=0, chain=CHAIN)
    broker["nats"].kill()
    with capture_logs() as logs:
        appending = asyncio.create_task(bus.append(DONE, a_text(), after=first, chain=CHAIN))
        await wait_until(lambda: any(line["event"] == WAITING for line in logs), what="a failed attempt")
        assert not appending.done()
        await broker["nats"].start()
        async with asyncio.timeout(15):
            second = await appending
    assert [stored.seq for stored in await history(bus, CHAIN)] == [first, second]


async def test_an_append_whose_acks_are_lost_is_stored_once(
    bus: Bus, broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "_API_TIMEOUT_S", 0.2)
    broker["nats"].pause()
    with capture_logs() as logs:
        appending = asyncio.create_task(bus.append(DONE, a_text(), after=0, chain=CHAIN))
        await wait_until(lambda: sum(line["event"] == WAITING for line in logs) >= 2, what="two lost acks")
        broker["nats"].resume()
        async with asyncio.timeout(15):
            seq = await appending
    assert [stored.seq for stored in await history(bus, CHAIN)] == [seq]


async def test_an_event_that_is_too_large_is_refused_and_not_tried_for_ever(bus: Bus) -> None:
    with pytest.raises(MaxPayloadError):
        async with asyncio.timeout(2):
            await bus.append(DONE, a_text(body="x" * 1_100_000), after=0, chain=CHAIN)
