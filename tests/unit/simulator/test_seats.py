"""The bound on what happens at one time."""

import asyncio

import pytest

from parley_simulator.seats import Seats

pytestmark = pytest.mark.anyio


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_than_the_seats_are_inside_and_the_line_is_kept() -> None:
    seats, go, order = Seats(2), asyncio.Event(), list[int]()

    async def visit(number: int) -> None:
        async with seats:
            order.append(number)
            await go.wait()

    tasks = [asyncio.create_task(visit(number)) for number in range(5)]
    await settle()
    assert order == [0, 1]
    go.set()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]


async def test_who_is_cancelled_in_line_takes_no_seat_along() -> None:
    seats, go = Seats(1), asyncio.Event()

    async def visit() -> str:
        async with seats:
            await go.wait()
            return "was inside"

    inside, waiting, last = (asyncio.create_task(visit()) for _ in range(3))
    await settle()
    waiting.cancel()
    await settle()
    go.set()
    assert [await inside, await last] == ["was inside", "was inside"]
    assert waiting.cancelled()
    assert await asyncio.wait_for(visit(), 1) == "was inside"
