"""Leases: who works on what, until their session runs out or the broker forgets."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.js.api import StorageType

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.connections import connected
from parley_common import leases as leases_module
from parley_common import topology
from parley_common.bus import Bus
from parley_common.leases import SESSION_TTL_S, Leases

pytestmark = pytest.mark.anyio

LIMITS = topology.Limits()
RUN_OUT_S = 8.0
"""A session lives for 3 s; the broker looks for what ran out about every second."""


@pytest.fixture
async def ours(bus: Bus) -> Leases:
    leases = Leases(bus, LIMITS)
    await leases.renew()
    return leases


@pytest.fixture
async def other_bus(broker: Stack) -> AsyncIterator[Bus]:
    async with connected(broker) as bus:
        yield bus


@pytest.fixture
async def theirs(other_bus: Bus) -> Leases:
    leases = Leases(other_bus, LIMITS)
    await leases.renew()
    return leases


async def subjects(bus: Bus) -> set[str]:
    info = await bus.js.stream_info(topology.LEASES, subjects_filter=">")
    return set(info.state.subjects or {})


async def run_out(leases: Leases, bus: Bus) -> None:
    """Waits until the broker has forgotten a session that nobody renews."""

    async def gone() -> bool:
        return await bus.last(f"lease.session.{leases.session}") is None

    await wait_until(gone, RUN_OUT_S, what="the end of a session")


async def test_a_free_lease_is_taken_and_may_be_taken_again(ours: Leases) -> None:
    assert await ours.take("k") is None
    assert await ours.take("k") is None


async def test_a_living_holder_is_left_alone_and_named(ours: Leases, theirs: Leases) -> None:
    assert await ours.take("k") is None
    assert await theirs.take("k") == ours.session
    assert await theirs.take("another") is None


async def test_a_lease_given_back_is_free(ours: Leases, theirs: Leases) -> None:
    await ours.take("k")
    await ours.release("k")
    assert await theirs.take("k") is None


async def test_leases_given_back_leave_nothing_in_the_stream_for_long(ours: Leases, bus: Bus) -> None:
    for n in range(20):
        await ours.take(f"k{n}")
        await ours.release(f"k{n}")
    renewing = asyncio.create_task(ours.keep_alive())

    async def only_the_session() -> bool:
        return await subjects(bus) == {f"lease.session.{ours.session}"}

    await wait_until(only_the_session, RUN_OUT_S, what="an empty stream")
    info = await bus.js.stream_info(topology.LEASES)
    assert info.state.messages == 1
    renewing.cancel()


async def test_giving_back_what_one_does_not_hold_does_nothing(ours: Leases, theirs: Leases) -> None:
    await ours.take("k")
    await theirs.release("k")
    assert await theirs.take("k") == ours.session


async def test_a_dead_holders_lease_is_taken_over(ours: Leases, theirs: Leases, bus: Bus) -> None:
    await theirs.take("k")
    await run_out(theirs, bus)
    await ours.renew()
    assert await ours.take("k") is None


async def test_a_holder_that_renews_is_not_taken_over(ours: Leases, theirs: Leases, bus: Bus) -> None:
    await theirs.take("k")
    dead = Leases(bus, LIMITS)
    await dead.renew()
    renewing = asyncio.create_task(theirs.keep_alive())
    await run_out(dead, bus)
    assert await ours.take("k") == theirs.session
    renewing.cancel()


async def test_of_those_who_find_a_dead_holder_exactly_one_takes_over(
    ours: Leases, theirs: Leases, bus: Bus
) -> None:
    dead = Leases(bus, LIMITS)
    for n in range(20):
        await dead.take(f"k{n}")  # its session was never written: as dead as one that ran out
    for n in range(20):
        taken = await asyncio.gather(ours.take(f"k{n}"), theirs.take(f"k{n}"))
        assert [holder is None for holder in taken].count(True) == 1, taken


async def test_who_was_taken_over_gives_nothing_back(ours: Leases, theirs: Leases, bus: Bus) -> None:
    dead = Leases(bus, LIMITS)
    await dead.take("k")
    assert await ours.take("k") is None
    await dead.release("k")
    assert await theirs.take("k") == ours.session


async def test_ending_gives_everything_back_at_once(ours: Leases, theirs: Leases, bus: Bus) -> None:
    await ours.take("a")
    await ours.take("b")
    await ours.end()
    assert await theirs.take("a") is None
    assert await theirs.take("b") is None


async def test_a_session_that_ended_leaves_nothing_in_the_stream_for_long(ours: Leases, bus: Bus) -> None:
    await ours.take("a")
    await ours.end()

    async def empty() -> bool:
        return await subjects(bus) == set()

    await wait_until(empty, RUN_OUT_S, what="an empty stream")


async def test_a_lease_given_back_was_inherited_from_nobody(ours: Leases, theirs: Leases) -> None:
    await theirs.take("k")
    await theirs.release("k")
    await ours.take("k")
    assert not ours.inherited("k")


async def test_a_lease_of_a_dead_holder_is_inherited_until_it_is_taken_anew(ours: Leases, bus: Bus) -> None:
    dead = Leases(bus, LIMITS)
    await dead.take("k")
    await ours.take("k")
    assert ours.inherited("k")
    await ours.release("k")
    await ours.take("k")
    assert not ours.inherited("k")


async def test_leases_the_broker_forgot_are_declared_again(ours: Leases, broker: Stack) -> None:
    await ours.take("k")
    await broker["nats"].restart()
    async with connected(broker) as bus:
        later = Leases(bus, LIMITS)
        assert await later.take("k") is None
        await later.renew()
        assert not later.in_doubt
        config = (await bus.js.stream_info(topology.LEASES)).config
    assert config.storage == StorageType.MEMORY
    assert config.allow_msg_ttl


async def test_a_session_is_renewed_after_the_broker_forgot_it(ours: Leases, bus: Bus) -> None:
    await bus.js.delete_stream(topology.LEASES)
    await ours.renew()
    assert await subjects(bus) == {f"lease.session.{ours.session}"}
    assert not ours.in_doubt


async def test_what_was_held_before_the_broker_forgot_hurts_nobody_after(
    ours: Leases, theirs: Leases, bus: Bus
) -> None:
    await ours.take("k")  # sequence 3
    await bus.js.delete_stream(topology.LEASES)
    await theirs.renew()
    await theirs.take("a")
    await theirs.take("b")  # sequence 3 of the new stream
    await ours.renew()
    await ours.release("k")
    assert await ours.take("b") == theirs.session


async def test_leases_are_unsettled_while_who_held_them_before_the_broker_forgot_may_live(
    ours: Leases, bus: Bus
) -> None:
    assert await ours.unsettled_s() == 0.0
    await bus.js.delete_stream(topology.LEASES)
    await ours.take("k")
    assert 0.0 < await ours.unsettled_s() <= SESSION_TTL_S
    assert ours.inherited("k") is False


async def test_before_its_first_renewal_a_session_is_in_doubt(bus: Bus) -> None:
    assert Leases(bus, LIMITS).in_doubt


async def test_a_renewed_session_is_not_in_doubt(ours: Leases) -> None:
    assert not ours.in_doubt


async def test_a_session_that_could_not_be_renewed_is_in_doubt_before_it_has_run_out(
    ours: Leases, broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed_at_s = leases_module.boot_clock_s()
    await ours.renew()
    broker["nats"].kill()
    await ours.renew()
    await wait_until(lambda: ours.in_doubt, leases_module.SESSION_TTL_S, what="doubt")
    monkeypatch.setattr(leases_module, "boot_clock_s", lambda: renewed_at_s + 2.0)
    assert not ours.in_doubt
    monkeypatch.setattr(leases_module, "boot_clock_s", lambda: renewed_at_s + 2.9)
    assert ours.in_doubt


async def test_a_process_that_was_frozen_is_in_doubt_when_it_wakes(
    ours: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken_at_s = leases_module.boot_clock_s() + leases_module.SESSION_TTL_S
    monkeypatch.setattr(leases_module, "boot_clock_s", lambda: woken_at_s)
    assert ours.in_doubt


async def test_a_session_ends_without_its_broker(ours: Leases, broker: Stack) -> None:
    await ours.take("k")
    broker["nats"].kill()
    async with asyncio.timeout(10):
        await ours.end()
