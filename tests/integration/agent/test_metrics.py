"""What the agent tells Prometheus of brains and turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from prometheus_client import REGISTRY

from harness.waiting import wait_until
from integration.agent.workers import WORDS, C, FakeBrain, Gate, drain, echo, send, worker
from integration.common.connections import history
from parley_brains.agent_file import ReplyLimits
from parley_brains.brain import BrainFailed, Turn
from parley_common import topology
from parley_common.bus import Bus

pytestmark = pytest.mark.anyio

QUICK = msgspec.structs.replace(WORDS, reply=ReplyLimits(within_s=1.0))
OUTCOMES = ("answered", "failed", "timeout", "cancelled")


def brains_asked() -> dict[str, float]:
    """How often brains were asked, by what came of it; those that never were are left out."""
    found = {outcome: _told("parley_brain_seconds_count", brain="other", outcome=outcome) for outcome in OUTCOMES}
    return {outcome: count for outcome, count in found.items() if count}


def _told(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def for_ever(_turn: Turn) -> tuple[str, ...]:
    await asyncio.Event().wait()
    return ()


async def without_an_answer(_turn: Turn) -> tuple[str, ...]:
    raise BrainFailed("no answer")


async def too_slow_by_itself(_turn: Turn) -> tuple[str, ...]:
    raise BrainFailed("no answer in time", timed_out=True)


async def broken(_turn: Turn) -> tuple[str, ...]:
    raise ValueError("broken")


@pytest.mark.parametrize(
    ("answering", "outcome"),
    [
        (echo, "answered"),
        (without_an_answer, "failed"),
        (broken, "failed"),
        (for_ever, "timeout"),
        (too_slow_by_itself, "timeout"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
async def test_a_brain_is_counted_by_what_came_of_asking_it(
    answering: Callable[[Turn], Awaitable[tuple[str, ...]]], outcome: str, bus: Bus
) -> None:
    before, turns = brains_asked(), _told("parley_answer_seconds_count")
    await send(bus, "hello")
    await drain(worker(bus, FakeBrain(answering=answering, words=QUICK)))
    assert brains_asked() == before | {outcome: before.get(outcome, 0.0) + 1}
    assert _told("parley_answer_seconds_count") == turns + 1


async def test_a_brain_whose_agent_stops_is_cancelled_and_no_turn_is_under_way_any_more(bus: Bus) -> None:
    before, thinking, gate = brains_asked(), _told("parley_thinking"), Gate()
    await send(bus, "hello")
    asking = asyncio.create_task(drain(worker(bus, FakeBrain(answering=gate))))
    await wait_until(gate.reached.is_set, what="the brain being asked")
    assert _told("parley_thinking") == thinking + 1
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert brains_asked() == before | {"cancelled": before.get("cancelled", 0.0) + 1}
    assert _told("parley_thinking") == thinking


async def test_an_answer_is_as_old_as_the_first_text_of_its_turn(bus: Bus) -> None:
    before_s = _told("parley_answer_seconds_sum")
    await send(bus, "one")
    await asyncio.sleep(0.5)
    await send(bus, "two")
    await drain(worker(bus, FakeBrain()))
    first, second = (stored.time for stored in await history(bus, topology.texts(C)))
    assert _told("parley_answer_seconds_sum") - before_s >= (second - first).total_seconds()
