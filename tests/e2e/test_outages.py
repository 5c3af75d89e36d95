"""A broker that restarts under the whole of Parley."""

from __future__ import annotations

import asyncio

import pytest

from harness.people import Person
from harness.privacy import leaks
from harness.stack import Stack
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import InboundText

pytestmark = pytest.mark.anyio


async def test_texts_sent_while_the_broker_restarts_are_answered(
    whole: Stack, simulator: SimulatorControl
) -> None:
    people = [Person(f"+1555015{n:04d}", simulator) for n in range(30)]

    async def write() -> None:
        for person in people:
            await simulator.text(InboundText(sender=person.number, body="ECHO are you there?"))
            await asyncio.sleep(0.05)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.3)
    whole["nats"].kill()
    await asyncio.sleep(1.0)
    await whole["nats"].start()
    await writing
    for person in people:
        assert [text.body for text in await person.wait_for(1, 40.0)] == ["are you there?"]
    assert leaks(whole, ["are you there?"]) == []
