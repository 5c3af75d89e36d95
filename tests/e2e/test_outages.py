"""Outages under the whole of Parley: the broker restarted, frozen or full, Twilio down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from e2e.conftest import QUICK
from harness.people import Person, simulator_of
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import InboundText
from parley_simulator.faults import Fault, Place, Rule
from parley_simulator.messages import Answer, Direction
from parley_simulator.request_log import Kind

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


async def test_texts_sent_while_the_broker_is_frozen_are_answered_once(
    whole: Stack, simulator: SimulatorControl
) -> None:
    people = [Person(f"+1555016{n:04d}", simulator) for n in range(20)]
    writing = [asyncio.create_task(_write(person, "ECHO frozen?")) for person in people]
    await asyncio.sleep(0.2)
    whole["nats"].pause()
    await asyncio.sleep(4.0)
    whole["nats"].resume()
    await asyncio.gather(*writing)
    for person in people:
        assert [text.body for text in await person.wait_for(1, 40.0)] == ["frozen?"]


async def test_what_twilio_could_not_take_goes_once_and_the_oldest_first_when_it_is_back(
    whole: Stack, simulator: SimulatorControl
) -> None:
    down = [
        await simulator.add_fault(Rule(where=Place.CREATE, what=Fault.STATUS, status=503)),
        await simulator.add_fault(Rule(where=Place.FETCH, what=Fault.STATUS, status=503)),
    ]
    people = [Person(f"+1555017{n:04d}", simulator) for n in range(25)]
    for person in people:
        await person.text("ECHO one")
        await person.text("ECHO two")
    await asyncio.sleep(3.0)
    attempts = (await simulator.faults())[0].fired
    for fault in down:
        await simulator.remove_fault(fault.id)
    for person in people:
        assert [text.body for text in await person.wait_for(2, 60.0)] == ["one", "two"]
    assert attempts < 2 * len(people), "a breaker keeps most from being tried"


async def test_a_full_stream_loses_nothing_and_goes_on_once_it_may_grow(tmp_path: Path) -> None:
    people_count, long = 30, "much to say " * 110
    async with (
        running_stack(tmp_path, settings=QUICK | {"PARLEY_STREAM_MAX_BYTES": "1000000"}) as stack,
        simulator_of(stack) as simulator,
    ):
        people = [Person(f"+1555019{n:04d}", simulator) for n in range(people_count)]
        for n in range(20):  # more would look like two bots in a loop
            for person in people:
                await _write(person, f"ECHO {n} {long}")
            if await _some_webhook_failed(simulator):
                break
        await wait_until(lambda: _some_webhook_failed(simulator), 30.0, what="a webhook answered 503")
        await stack.repeat("declare", {"PARLEY_STREAM_MAX_BYTES": "100000000"})
        await wait_until(lambda: _all_told(people), 30.0, what="Twilio giving up or being answered")
        await people[0].text("ECHO is there room?")
        await wait_until(lambda: _all_answered(people), 90.0, what="every accepted text being answered")
        for person in people:
            assert await _said(person) == await _heard(person)


async def _write(person: Person, body: str) -> None:
    await person.simulator.text(InboundText(sender=person.number, body=body))


async def _some_webhook_failed(simulator: SimulatorControl) -> bool:
    entries = (await simulator.log(limit=5_000)).entries
    return any(entry.kind is Kind.WEBHOOK and entry.status == 503 for entry in entries)


async def _all_told(people: Sequence[Person]) -> bool:
    """Whether no webhook is under way any more."""
    texts = [text for person in people for text in (await person.simulator.phone(person.number)).texts]
    return not any(text.answer in (Answer.PENDING, Answer.RETRYING) for text in texts)


async def _all_answered(people: Sequence[Person]) -> bool:
    return all([len(await _said(person)) <= len(await _heard(person)) for person in people])


async def _said(person: Person) -> list[str]:
    """What was accepted of what the person wrote, as it is to be answered."""
    texts = (await person.simulator.phone(person.number)).texts
    return sorted(
        text.body.removeprefix("ECHO ").strip()
        for text in texts
        if text.direction is Direction.INBOUND and text.answer is Answer.ANSWERED
    )


async def _heard(person: Person) -> list[str]:
    return sorted(text.body.strip() for text in await person.received())
