"""The sweep: what is open for a minute is rung again, whatever became of its bell."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from nats.errors import TimeoutError as BrokerTimeout
from structlog.testing import capture_logs

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.connections import a_text, connected
from parley_common import sweep as module
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.declare import declare
from parley_common.doorbells import Later
from parley_common.leases import Leases
from parley_common.sweep import Sweep

pytestmark = pytest.mark.anyio


@dataclass
class Worker:
    """Knows what is done, notes what it is asked and rung."""

    bus: Bus
    leases: Leases
    upto: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    rung: list[tuple[str, int]] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sweep = Sweep(self.bus, self.leases, topology.ALL_TEXTS, is_done=self._is_done, ring=self._ring)

    async def _is_done(self, conversation: str, seq: int) -> bool:
        self.asked.append(conversation)
        if conversation in self.trouble:
            raise self.trouble[conversation]
        return self.upto.get(conversation, 0) >= seq

    async def _ring(self, stored: Stored) -> None:
        assert stored.data
        self.rung.append((topology.conversation_of(stored.subject), stored.seq))


@asynccontextmanager
async def worker(broker: Stack) -> AsyncIterator[Worker]:
    async with connected(broker) as bus:
        leases = Leases(bus, topology.Limits())
        await leases.renew()
        living = asyncio.create_task(leases.keep_alive())
        yield Worker(bus, leases)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


@pytest.fixture(autouse=True)
def soon_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FETCH_S", 0.3)


@pytest.fixture
async def sweeper(broker: Stack) -> AsyncIterator[Worker]:
    async with worker(broker) as one:
        yield one


async def send(bus: Bus, *conversations: str) -> list[int]:
    return [await bus.publish(topology.texts(one), a_text(one)) for one in conversations]


_times = (timedelta(minutes=2 + 20 * n) for n in itertools.count())


def later() -> datetime:
    """A time at which all that was sent is old enough, later each time by more than any pause."""
    return datetime.now(UTC) + next(_times)


async def test_what_is_open_for_a_minute_is_rung_with_its_newest_text(sweeper: Worker) -> None:
    seqs = await send(sweeper.bus, "c", "d", "c")
    assert await sweeper.sweep.sweep(later()) == 2
    assert sorted(sweeper.rung) == [("c", seqs[2]), ("d", seqs[1])]


async def test_what_is_younger_is_left_to_its_bell(sweeper: Worker) -> None:
    await send(sweeper.bus, "c")
    assert await sweeper.sweep.sweep() == 0
    assert sweeper.asked == []
    assert await sweeper.sweep.sweep(later()) == 1


async def test_what_is_dealt_with_is_looked_at_once(sweeper: Worker) -> None:
    (seq,) = await send(sweeper.bus, "c")
    sweeper.upto["c"] = seq
    for _ in range(3):
        assert await sweeper.sweep.sweep(later()) == 0
    assert sweeper.asked == ["c"]


async def test_what_stays_open_is_rung_until_it_is_dealt_with(sweeper: Worker) -> None:
    (seq,) = await send(sweeper.bus, "c")
    await sweeper.sweep.sweep(later())
    await sweeper.sweep.sweep(later())
    sweeper.upto["c"] = seq
    await sweeper.sweep.sweep(later())
    assert sweeper.rung == [("c", seq)] * 2


async def test_what_waits_for_its_turn_is_rung_less_and_less_often(sweeper: Worker) -> None:
    await send(sweeper.bus, "c")
    begin = later()
    after_s = [0, 15, 30, 60, 90, 150, 210, 330]
    rung = [await sweeper.sweep.sweep(begin + timedelta(seconds=s)) for s in after_s]
    assert rung == [1, 0, 1, 0, 1, 0, 1, 0]


async def test_what_waits_for_its_time_is_left_until_a_minute_after_it_and_not_told(sweeper: Worker) -> None:
    (seq,) = await send(sweeper.bus, "c")
    sweeper.trouble["c"] = Later(120.0)
    begin = later()
    with capture_logs() as logs:
        rung = [await sweeper.sweep.sweep(begin + timedelta(seconds=s)) for s in (0, 60, 179)]
    assert (rung, sweeper.rung, sweeper.asked) == ([0, 0, 0], [], ["c"])
    assert logs == []
    del sweeper.trouble["c"]
    assert await sweeper.sweep.sweep(begin + timedelta(seconds=180)) == 1
    assert sweeper.rung == [("c", seq)]


async def test_a_later_text_of_a_conversation_that_was_done_is_found(sweeper: Worker) -> None:
    (first,) = await send(sweeper.bus, "c")
    sweeper.upto["c"] = first
    await sweeper.sweep.sweep(later())
    (second,) = await send(sweeper.bus, "c")
    await sweeper.sweep.sweep(later())
    assert sweeper.rung == [("c", second)]


async def test_a_walk_is_as_long_as_what_there_is(sweeper: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    names = [f"c{n}" for n in range(20)]
    await send(sweeper.bus, *names)
    assert await sweeper.sweep.sweep(later()) == len(names)


async def test_texts_that_were_erased_are_forgotten(sweeper: Worker) -> None:
    await send(sweeper.bus, "c")
    await sweeper.sweep.sweep(later())
    await sweeper.bus.js.purge_stream(topology.CONVERSATIONS, subject=topology.texts("c"))
    assert [await sweeper.sweep.sweep(later()) for _ in range(2)] == [0, 0]
    assert sweeper.asked == ["c", "c"]


async def test_one_conversation_that_cannot_be_looked_at_holds_up_no_other(sweeper: Worker) -> None:
    await send(sweeper.bus, "c", "d")
    sweeper.trouble["c"] = ValueError("no such event")
    with capture_logs() as logs:
        assert await sweeper.sweep.sweep(later()) == 1
    assert ("error", "c") in [(line["log_level"], line.get("conversation")) for line in logs]
    del sweeper.trouble["c"]
    assert await sweeper.sweep.sweep(later()) == 2


async def test_a_broker_in_trouble_leaves_all_open_for_the_next_sweep(sweeper: Worker) -> None:
    await send(sweeper.bus, "c", "d")
    sweeper.trouble["c"] = BrokerTimeout()
    with pytest.raises(BrokerTimeout):
        await sweeper.sweep.sweep(later())
    sweeper.trouble.clear()
    assert await sweeper.sweep.sweep(later()) == 2


async def test_a_sweep_leaves_no_consumer_behind(sweeper: Worker) -> None:
    await send(sweeper.bus, "c")
    for _ in range(3):
        await sweeper.sweep.sweep(later())
    durables = {one.durable for one in topology.CONSUMERS if one.stream == topology.CONVERSATIONS}
    assert {one.name for one in await sweeper.bus.js.consumers_info(topology.CONVERSATIONS)} == durables


async def test_a_stream_that_was_restored_is_walked_from_the_start(sweeper: Worker) -> None:
    await send(sweeper.bus, "a", "b", "c")
    await sweeper.sweep.sweep(later())
    await sweeper.bus.js.delete_stream(topology.CONVERSATIONS)
    await declare(sweeper.bus.js, topology.Limits())
    sweeper.rung.clear()
    (seq,) = await send(sweeper.bus, "d")
    assert await sweeper.sweep.sweep(later()) == 1
    assert sweeper.rung == [("d", seq)]


async def test_one_process_sweeps_and_another_takes_over_when_it_ends(
    broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGE", timedelta(hours=-1))
    monkeypatch.setattr(module, "_EVERY_S", 0.2)
    monkeypatch.setattr(module, "_PAUSE", timedelta())
    async with worker(broker) as first, worker(broker) as second:
        await send(first.bus, "c")
        sweeping = asyncio.create_task(first.sweep.keep_sweeping())
        await wait_until(lambda: first.rung, what="a sweep")
        waiting = asyncio.create_task(second.sweep.keep_sweeping())
        before = len(first.rung)
        await wait_until(lambda: len(first.rung) > before + 2, what="further sweeps")
        assert second.asked == []
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await first.leases.release("sweep.conv.all.in")
        await wait_until(lambda: second.rung, what="a sweep by the other")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
