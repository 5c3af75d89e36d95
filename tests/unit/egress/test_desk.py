"""The desk: who goes first, that nobody is forgotten, and that a closed desk grants nothing."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from parley_common.doorbells import Busy
from parley_egress.desk import Desk, Priority
from parley_egress.rate import Bucket, new_owner

pytestmark = pytest.mark.anyio

FAST = 2_000.0
LATER = cast("Priority", Priority.REPLY + 1)
"""A priority behind replies, as what can wait will have."""


def desk_of(segments_per_s: float) -> Desk:
    """The desk of an owner who begins now."""
    return Desk(new_owner(segments_per_s, time.monotonic()))


async def queue(desk: Desk, log: list[str], *waiting: tuple[str, Priority]) -> list[asyncio.Task[None]]:
    """Queues the named parts in this order and returns once all wait."""

    async def wait(name: str, priority: Priority) -> None:
        await desk.slot(priority, 1)
        log.append(name)

    tasks = [asyncio.create_task(wait(name, priority)) for name, priority in waiting]
    await asyncio.sleep(0)
    return tasks


async def test_replies_go_in_the_order_they_came() -> None:
    log: list[str] = []
    names = [str(n) for n in range(50)]
    async with asyncio.timeout(5):
        await asyncio.gather(*await queue(desk_of(FAST), log, *((name, Priority.REPLY) for name in names)))
    assert log == names


async def test_a_reply_goes_before_all_that_can_wait() -> None:
    log: list[str] = []
    desk = desk_of(FAST)
    later = [(f"later {n}", LATER) for n in range(20)]
    async with asyncio.timeout(5):
        tasks = await queue(desk, log, *later, ("reply", Priority.REPLY))
        await asyncio.gather(*tasks)
    assert log == ["reply", *(name for name, _ in later)]


async def test_a_reply_that_comes_late_waits_one_slot_at_most() -> None:
    log: list[str] = []
    desk = desk_of(100.0)
    async with asyncio.timeout(5):
        tasks = await queue(desk, log, *((f"later {n}", LATER) for n in range(20)))
        await tasks[2]
        tasks += await queue(desk, log, ("reply", Priority.REPLY))
        await asyncio.gather(*tasks)
    assert log.index("reply") == 3


async def test_slots_keep_the_rate() -> None:
    desk, started_s = desk_of(100.0), time.monotonic()
    async with asyncio.timeout(5):
        for _ in range(10):
            await desk.slot(Priority.REPLY, 2)
    # One empty slot for a new owner, nine parts of two segments, and the last one's cost is still to come.
    assert time.monotonic() - started_s >= (1 + 9 * 2) / 100.0


async def test_idle_time_gives_no_more_slots_than_can_be_paid_soon() -> None:
    desk = Desk(Bucket(segments_per_s=10.0, free_at_s=time.monotonic() - 3_600.0))
    waiting = [asyncio.create_task(desk.slot(Priority.REPLY, 1)) for _ in range(100)]
    done, pending = await asyncio.wait(waiting, timeout=0.2)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    assert 1 <= len(done) <= 30


async def test_a_desk_serves_again_after_it_was_empty() -> None:
    desk = desk_of(FAST)
    async with asyncio.timeout(5):
        for _ in range(3):
            await desk.slot(Priority.REPLY, 1)
            await asyncio.sleep(0)


async def test_one_who_left_takes_nobodys_slot() -> None:
    log: list[str] = []
    desk = desk_of(20.0)
    async with asyncio.timeout(5):
        tasks = await queue(desk, log, *((name, Priority.REPLY) for name in ("gone", "first", "second")))
        tasks[0].cancel()
        started_s = time.monotonic()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert log == ["first", "second"]
    assert time.monotonic() - started_s < 3 / 20.0


async def test_a_closed_desk_sends_all_who_wait_away() -> None:
    log: list[str] = []
    desk = desk_of(1.0)
    tasks = await queue(desk, log, ("one", Priority.REPLY), ("two", LATER))
    desk.close()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Busy, Busy]
    assert log == []


async def test_a_closed_desk_sends_away_who_comes_later() -> None:
    desk = desk_of(FAST)
    tasks = await queue(desk, [], ("one", Priority.REPLY))
    desk.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    with pytest.raises(Busy):
        async with asyncio.timeout(0.5):
            await desk.slot(Priority.REPLY, 1)
