"""Holding a webhook until the broker has its event: within its time, bounded in number, again and again."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from nats.errors import ConnectionClosedError, NoRespondersError
from nats.js.errors import APIError

from parley_common.bus import Bus
from parley_ingress.publishing import Budgets, Kind, NotHeld, Publisher

pytestmark = pytest.mark.anyio


class FakeConnection:
    """Says whether it is connected."""

    def __init__(self) -> None:
        self.is_connected = True


class FakeBus:
    """A bus with nothing behind it."""

    def __init__(self) -> None:
        self.nc = FakeConnection()


def publisher(bus: FakeBus | None = None, *, most_pending: int = 10) -> Publisher:
    return Publisher(cast("Bus", bus or FakeBus()), most_pending)


def soon(seconds: float) -> float:
    return time.monotonic() + seconds


def store(*outcomes: Exception | None) -> tuple[Callable[[], Awaitable[object]], list[int]]:
    """A store that fails with each exception in turn, and the list of its calls."""
    calls: list[int] = []
    waiting = list(outcomes)

    async def call() -> object:
        calls.append(len(calls))
        outcome = waiting.pop(0) if waiting else None
        if outcome is not None:
            raise outcome
        return None

    return call, calls


async def hang() -> object:
    return await asyncio.Event().wait()


async def test_what_is_stored_at_once_is_stored_once() -> None:
    call, calls = store()
    await publisher().hold(call, soon(5))
    assert calls == [0]


@pytest.mark.parametrize(
    "trouble",
    [TimeoutError(), NoRespondersError(), ConnectionClosedError(), APIError(code=503), OSError()],
    ids=lambda error: type(error).__name__,
)
async def test_trouble_with_the_broker_is_waited_out(trouble: Exception) -> None:
    call, calls = store(trouble, trouble)
    await publisher().hold(call, soon(5))
    assert len(calls) == 3


async def test_a_mistake_of_ours_is_not_tried_again() -> None:
    call, calls = store(KeyError("ours"))
    with pytest.raises(KeyError):
        await publisher().hold(call, soon(5))
    assert len(calls) == 1


async def test_a_broker_that_never_acks_ends_at_the_deadline() -> None:
    started_s = time.monotonic()
    with pytest.raises(NotHeld):
        await publisher().hold(hang, soon(0.3))
    assert 0.25 <= time.monotonic() - started_s < 0.6


async def test_nothing_is_sent_while_there_is_no_connection() -> None:
    bus, (call, calls) = FakeBus(), store()
    bus.nc.is_connected = False
    with pytest.raises(NotHeld):
        await publisher(bus).hold(call, soon(0.2))
    assert calls == []


async def test_a_connection_that_comes_back_in_time_is_used() -> None:
    bus, (call, calls) = FakeBus(), store()
    bus.nc.is_connected = False
    holding = asyncio.create_task(publisher(bus).hold(call, soon(5)))
    await asyncio.sleep(0)
    bus.nc.is_connected = True
    async with asyncio.timeout(2):
        await holding
    assert calls == [0]


async def test_a_time_that_is_over_stores_nothing() -> None:
    call, calls = store()
    with pytest.raises(NotHeld):
        await publisher().hold(call, soon(-0.1))
    assert calls == []


async def test_no_more_than_the_most_wait() -> None:
    holder = publisher(most_pending=2)
    waiting = [asyncio.create_task(holder.hold(hang, soon(0.3))) for _ in range(2)]
    await asyncio.sleep(0)
    started_s = time.monotonic()
    with pytest.raises(NotHeld, match="too many"):
        await holder.hold(hang, soon(5))
    assert time.monotonic() - started_s < 0.2
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [NotHeld, NotHeld]


async def test_room_comes_back_however_holding_ended() -> None:
    holder = publisher(most_pending=1)
    fails, _ = store(KeyError("ours"))
    with pytest.raises(KeyError):
        await holder.hold(fails, soon(5))
    with pytest.raises(NotHeld):
        await holder.hold(hang, soon(0.05))
    cancelled = asyncio.create_task(holder.hold(hang, soon(5)))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    works, calls = store()
    await holder.hold(works, soon(5))
    assert calls == [0]


@pytest.mark.parametrize(
    ("asked_after_s", "given_s"),
    [
        pytest.param(0.0, 8.0, id="at first all of the budget"),
        pytest.param(3.0, 8.0, id="an early retry has all of it too"),
        pytest.param(8.0, 6.5, id="a retry after a 503 has what Twilio has left"),
        pytest.param(13.0, 1.5, id="a late retry has little"),
        pytest.param(14.4, 0.5, id="the last one has half a second"),
        pytest.param(60.0, 0.5, id="after Twilio gave up as well"),
    ],
)
def test_a_retry_has_what_twilio_has_left(asked_after_s: float, given_s: float) -> None:
    budgets = Budgets(8.0)
    budgets.deadline_s("token", 100.0)
    now_s = 100.0 + asked_after_s
    assert budgets.deadline_s("token", now_s) - now_s == pytest.approx(given_s)


@pytest.mark.parametrize("token", [None, ""], ids=["no token", "blank token"])
def test_without_a_token_each_webhook_is_the_first(token: str | None) -> None:
    budgets = Budgets(8.0)
    assert [budgets.deadline_s(token, now_s) - now_s for now_s in (0.0, 14.0, 60.0)] == [8.0, 8.0, 8.0]


def test_each_token_has_a_time_of_its_own() -> None:
    budgets = Budgets(8.0)
    budgets.deadline_s("one", 0.0)
    assert budgets.deadline_s("other", 14.0) == 22.0


def test_a_budget_never_lasts_longer_than_twilio_waits() -> None:
    assert Budgets(60.0).deadline_s("token", 100.0) == 114.5


def test_the_newest_tokens_are_remembered() -> None:
    budgets = Budgets(8.0)
    budgets.deadline_s("old", 0.0)
    for n in range(9_999):
        budgets.deadline_s(f"token-{n}", 1.0)
    assert budgets.deadline_s("old", 10.0) == pytest.approx(14.5)
    budgets.deadline_s("one more", 10.0)
    assert budgets.deadline_s("old", 10.0) == 18.0


def memory_for(tokens: list[str]) -> int:
    budgets = Budgets(8.0)
    tracemalloc.start()
    try:
        for token in tokens:
            budgets.deadline_s(token + "!", 0.0)
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_the_number_of_tokens_that_take_memory_is_bounded() -> None:
    assert memory_for([f"{n:036}" for n in range(30_000)]) < 4_000_000


def test_a_token_of_any_length_takes_little_memory() -> None:
    assert memory_for([f"{n}" + "x" * 100_000 for n in range(100)]) < 1_000_000


async def waiting(one: Publisher, kind: Kind, count: int) -> tuple[list[asyncio.Task[None]], int]:
    """So many that begin to wait, and how many of them found no place."""
    tasks = [asyncio.create_task(one.hold(hang, soon(5), kind=kind)) for _ in range(count)]
    await asyncio.sleep(0.01)
    refused = [task for task in tasks if task.done()]
    assert all(isinstance(task.exception(), NotHeld) for task in refused)
    return tasks, len(refused)


async def end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_reports_take_half_of_the_places_at_most_and_texts_all_of_the_rest() -> None:
    one = publisher(most_pending=10)
    reports, refused_reports = await waiting(one, Kind.REPORT, 8)
    messages, refused_texts = await waiting(one, Kind.TEXT, 6)
    assert (refused_reports, refused_texts) == (3, 1)
    await end(reports + messages)


async def test_texts_may_take_every_place() -> None:
    one = publisher(most_pending=10)
    messages, refused = await waiting(one, Kind.TEXT, 11)
    assert refused == 1
    await end(messages)


async def test_places_are_given_back_to_both() -> None:
    one = publisher(most_pending=4)
    for _ in range(3):
        reports, refused_reports = await waiting(one, Kind.REPORT, 2)
        messages, refused_texts = await waiting(one, Kind.TEXT, 2)
        assert (refused_reports, refused_texts) == (0, 0)
        await end(reports + messages)


async def test_a_bound_of_one_still_takes_a_report() -> None:
    call, calls = store()
    await publisher(most_pending=1).hold(call, soon(5), kind=Kind.REPORT)
    assert calls == [0]
