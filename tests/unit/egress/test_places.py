"""An account's places: never more than there are, fewer after a 20429, more again while all goes well."""

from __future__ import annotations

import asyncio

import pytest

from parley_egress.places import Places

pytestmark = pytest.mark.anyio


async def hold(places: Places, gate: asyncio.Event, inside: list[int]) -> None:
    async with places:
        inside.append(1)
        await gate.wait()
        inside.pop()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_no_more_than_its_places_are_taken_at_once_and_all_get_one() -> None:
    places, gate, inside = Places(3), asyncio.Event(), [0][:0]
    tasks = [asyncio.create_task(hold(places, gate, inside)) for _ in range(10)]
    await settle()
    assert len(inside) == 3
    gate.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)


async def test_many_refusals_of_one_moment_halve_it_once() -> None:
    places, gate, inside = Places(100), asyncio.Event(), [0][:0]
    tasks = [asyncio.create_task(hold(places, gate, inside)) for _ in range(40)]
    await settle()
    for _ in range(30):
        places.throttled()
    assert places.limit == 20
    gate.set()
    await asyncio.gather(*tasks)


async def test_it_grows_back_by_about_one_in_each_round_and_not_beyond_its_most() -> None:
    places = Places(8)
    async with places:
        places.throttled()
    assert places.limit == 1
    for _ in range(4):
        places.succeeded()
    assert 2 <= places.limit <= 4
    for _ in range(200):
        places.succeeded()
    assert places.limit == 8


async def test_one_place_is_always_left() -> None:
    places = Places(1)
    async with places:
        places.throttled()
    async with asyncio.timeout(1), places:
        assert places.limit == 1


async def test_who_leaves_while_it_waits_takes_nobodys_place() -> None:
    places, gate, inside = Places(1), asyncio.Event(), [0][:0]
    first, gone, last = (asyncio.create_task(hold(places, gate, inside)) for _ in range(3))
    await settle()
    gone.cancel()
    gate.set()
    async with asyncio.timeout(5):
        await asyncio.gather(first, last)
    assert gone.cancelled()
