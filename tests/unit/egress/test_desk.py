"""The desk: who goes first, that nobody is forgotten, and that a closed desk grants nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from parley_common.doorbells import Busy, Later
from parley_common.events import Priority
from parley_egress.desk import MOST_WAITING, Claim, Desk, Grant
from parley_egress.rate import Bucket, new_owner

pytestmark = pytest.mark.anyio

FAST = 2_000.0
LATER = Priority.NOTIFICATION
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class StubDoor:
    """A door that a test opens and closes."""

    closed: bool = False
    probes: int = 0

    def wait_s(self) -> float:
        return 0.01 if self.closed else 0.0

    def let_through(self) -> bool:
        self.probes -= 1
        return self.probes >= 0


def claim(
    priority: Priority = Priority.REPLY,
    segments: int = 1,
    *,
    at: datetime = NOON,
    expires_at: datetime = NEVER,
) -> Claim:
    """What a part asks for."""
    return Claim(priority=priority, at=at, expires_at=expires_at, segments=segments)


def desk_of(segments_per_s: float, door: StubDoor | None = None) -> Desk:
    """The desk of an owner who begins now."""
    return Desk(new_owner(segments_per_s, time.monotonic()), door or StubDoor())


async def queue(desk: Desk, log: list[str], *waiting: tuple[str, Claim]) -> list[asyncio.Task[None]]:
    """Queues the named parts in this order and returns once all wait; each is posted as soon as it may."""

    async def wait(name: str, asked: Claim) -> None:
        grant = await desk.slot(asked)
        await grant.pay(60.0)
        log.append(name)

    tasks = [asyncio.create_task(wait(name, priority)) for name, priority in waiting]
    await asyncio.sleep(0)
    return tasks


async def test_replies_go_in_the_order_they_came() -> None:
    log: list[str] = []
    names = [str(n) for n in range(50)]
    async with asyncio.timeout(5):
        await asyncio.gather(*await queue(desk_of(FAST), log, *((name, claim()) for name in names)))
    assert log == names


async def test_a_reply_goes_before_all_that_can_wait() -> None:
    log: list[str] = []
    desk = desk_of(FAST)
    later = [(f"later {n}", claim(LATER)) for n in range(20)]
    async with asyncio.timeout(5):
        tasks = await queue(desk, log, *later, ("reply", claim()))
        await asyncio.gather(*tasks)
    assert log == ["reply", *(name for name, _ in later)]


async def test_a_reply_that_comes_late_waits_one_slot_at_most() -> None:
    log: list[str] = []
    desk = desk_of(100.0)
    async with asyncio.timeout(5):
        tasks = await queue(desk, log, *((f"later {n}", claim(LATER)) for n in range(20)))
        await tasks[2]
        tasks += await queue(desk, log, ("reply", claim()))
        await asyncio.gather(*tasks)
    assert log.index("reply") == 3


async def test_slots_keep_the_rate() -> None:
    desk, started_s = desk_of(100.0), time.monotonic()
    async with asyncio.timeout(5):
        for _ in range(10):
            await (await desk.slot(claim(segments=2))).pay(60.0)
    # One empty slot for a new owner, nine parts of two segments, and the last one's cost is still to come.
    assert time.monotonic() - started_s >= (1 + 9 * 2) / 100.0


async def test_idle_time_gives_no_more_slots_than_can_be_paid_soon() -> None:
    desk = Desk(Bucket(segments_per_s=10.0, free_at_s=time.monotonic() - 3_600.0), StubDoor())
    waiting = [asyncio.create_task(desk.slot(claim())) for _ in range(100)]
    done, pending = await asyncio.wait(waiting, timeout=0.2)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    assert 1 <= len(done) <= 30


async def test_a_desk_serves_again_after_it_was_empty() -> None:
    desk = desk_of(FAST)
    async with asyncio.timeout(5):
        for _ in range(3):
            await (await desk.slot(claim())).pay(60.0)
            await asyncio.sleep(0)


async def test_one_who_left_takes_nobodys_slot() -> None:
    log: list[str] = []
    desk = desk_of(20.0)
    async with asyncio.timeout(5):
        tasks = await queue(desk, log, *((name, claim()) for name in ("gone", "first", "second")))
        tasks[0].cancel()
        started_s = time.monotonic()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert log == ["first", "second"]
    assert time.monotonic() - started_s < 3 / 20.0


async def test_a_closed_desk_sends_all_who_wait_away() -> None:
    log: list[str] = []
    desk = desk_of(1.0)
    tasks = await queue(desk, log, ("one", claim()), ("two", claim(LATER)))
    desk.close()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [Busy, Busy]
    assert log == []


async def test_a_closed_desk_sends_away_who_comes_later() -> None:
    desk = desk_of(FAST)
    tasks = await queue(desk, [], ("one", claim()))
    desk.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    with pytest.raises(Busy):
        async with asyncio.timeout(0.5):
            await (await desk.slot(claim())).pay(60.0)


async def test_the_oldest_goes_first_whenever_it_came() -> None:
    log: list[str] = []
    desk = desk_of(FAST)
    ages = (3, 1, 2)
    waiting = ((f"{age}", claim(at=NOON + timedelta(minutes=age))) for age in ages)
    async with asyncio.timeout(5):
        await asyncio.gather(*await queue(desk, log, *waiting))
    assert log == ["1", "2", "3"]


async def test_a_reply_pays_before_a_notification_that_is_prepared_already() -> None:
    log: list[str] = []
    desk = Desk(Bucket(segments_per_s=20.0, free_at_s=time.monotonic() + 0.2), StubDoor())

    async def post(name: str, grant: Grant) -> None:
        await grant.pay(60.0)
        log.append(name)

    async with asyncio.timeout(5):
        early = [await desk.slot(claim(LATER)) for _ in range(3)]
        tasks = [asyncio.create_task(post("later", grant)) for grant in early]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(post("reply", await desk.slot(claim()))))
        await asyncio.gather(*tasks)
    assert log == ["reply", "later", "later", "later"]


async def test_nothing_passes_a_closed_door() -> None:
    log: list[str] = []
    door = StubDoor(closed=True)
    desk = desk_of(FAST, door)
    tasks = await queue(desk, log, ("one", claim()), ("two", claim(LATER)))
    await asyncio.sleep(0.1)
    assert log == []
    door.closed = False
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    assert log == ["one", "two"]


async def test_what_expires_before_a_closed_door_is_let_go() -> None:
    desk = desk_of(FAST, StubDoor(closed=True))
    over = claim(expires_at=datetime.now(UTC) + timedelta(seconds=0.05))
    async with asyncio.timeout(5):
        kept = asyncio.create_task(desk.slot(claim()))
        grant = await desk.slot(over)
    assert not grant.is_probe
    assert not kept.done()
    kept.cancel()


async def test_what_has_expired_costs_nothing_of_the_rate() -> None:
    desk = desk_of(1.0)
    over = claim(expires_at=NOON)
    async with asyncio.timeout(1):
        for _ in range(50):
            (await desk.slot(over)).give_back()


async def test_a_probe_is_told_that_it_is_one() -> None:
    desk = desk_of(FAST, StubDoor(probes=1))
    grants = [await desk.slot(claim()) for _ in range(2)]
    assert [grant.is_probe for grant in grants] == [True, False]


async def test_of_many_who_wait_the_last_come_again_later_and_a_reply_is_never_among_them() -> None:
    desk = desk_of(FAST, StubDoor(closed=True))
    notes = [asyncio.create_task(desk.slot(claim(LATER))) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    reply = asyncio.create_task(desk.slot(claim()))
    done, _ = await asyncio.wait(notes, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert [type(task.exception()) for task in done] == [Later]
    with pytest.raises(Later):
        await desk.slot(claim(LATER))
    assert not reply.done()
    desk.close()
    await asyncio.gather(reply, *notes, return_exceptions=True)


async def test_who_cannot_pay_in_time_is_told_and_pays_nothing() -> None:
    desk = Desk(Bucket(segments_per_s=1.0, free_at_s=time.monotonic() - 1.0), StubDoor())
    async with asyncio.timeout(5):
        late, early = await desk.slot(claim(LATER)), await desk.slot(claim(segments=10))
        assert await early.pay(5.0)
        assert not await late.pay(5.0)
    assert desk.owes_s < 11.0
