"""``parley backfill`` as an operator runs it: with ingress, without one, and where one answers strangely."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.people import simulator_of
from harness.stack import BROKER_ONLY, Stack, running_stack
from harness.waiting import wait_until
from integration.cli.command import done, parley, refusal
from integration.common.connections import connected, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import InboundMessage
from parley_common.requests import BACKFILL, BackfillAnswer, BackfillRequest, decode, encode
from parley_simulator.control_shapes import InboundText
from parley_simulator.faults import Fault, Place, Rule

AT_ONCE = {"PARLEY_BACKFILL_EVERY_S": "0", "PARLEY_BACKFILL_AFTER_S": "0"}

pytestmark = pytest.mark.anyio

PERSON = "+15550170001"


@pytest.fixture
async def ingress(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    """Ingress, and a simulator that keeps a log of what people text."""
    async with running_stack(tmp_path / "ingress", (*BROKER_ONLY, "simulator", "ingress"), AT_ONCE) as stack:
        yield stack


async def test_a_text_whose_webhook_never_came_is_brought_in_once(ingress: Stack) -> None:
    async with simulator_of(ingress) as simulator, connected(ingress) as bus:
        await simulator.add_fault(Rule(where=Place.WEBHOOK, what=Fault.DROP_WEBHOOK, times=1))
        sid = (await simulator.text(InboundText(sender=PERSON, body="hello?"))).sid

        async def lost() -> bool:
            return any(fault.fired for fault in await simulator.faults()) or not await simulator.faults()

        await wait_until(lost, what="a webhook that is dropped")
        assert await texts(bus) == []
        assert "Twilio has 1 text: 1 brought in, 0 known." in await done(ingress, "backfill", "--since", "1h")
        (text,) = await texts(bus)
        assert (text.id, text.backfilled) == (sid, True)
        again = await done(ingress, "backfill", "--since", "1h", "--channel", "default")
        assert "Twilio has 1 text: 0 brought in, 1 known." in again
        assert len(await texts(bus)) == 1


async def test_where_no_ingress_runs_it_says_so(broker: Stack) -> None:
    said = await refusal(broker, "backfill", "--since", "1h")
    assert said == "no ingress is there to answer: start it, then try again"


async def test_a_channel_that_is_not_there_is_refused(broker: Stack) -> None:
    assert "no channel 'gone'" in await refusal(broker, "backfill", "--since", "1h", "--channel", "gone")


async def test_problems_are_told_and_end_with_1(broker: Stack, bus: Bus) -> None:
    asked = await answering(
        bus, encode(BackfillAnswer(found=3, brought_in=1, known=1, problems=("one is too old",)))
    )
    ended = await parley(broker, "backfill", "--since", "2026-11-21T10:00Z", "--until", "2026-11-21T12:00Z")
    assert ended.code == 1
    assert ended.out.splitlines()[1] == "problem: one is too old"
    (request,) = asked
    assert (request.since.hour, request.until.hour, request.channel) == (10, 12, "")


async def test_an_answer_of_another_release_is_no_traceback(broker: Stack, bus: Bus) -> None:
    await answering(bus, b'{"found": "many"}')
    assert "the answer of ingress cannot be read" in await refusal(broker, "backfill", "--since", "1h")


async def answering(bus: Bus, answer: bytes) -> list[BackfillRequest]:
    """Has somebody answer in the place of ingress; returns what will be asked."""
    asked: list[BackfillRequest] = []

    async def on_request(request: Any) -> None:
        asked.append(decode(request.data, BackfillRequest))
        await bus.nc.publish(request.reply, answer)

    await bus.nc.subscribe(BACKFILL, cb=on_request)
    await bus.nc.flush()
    return asked


async def texts(bus: Bus) -> list[InboundMessage]:
    return [
        event
        for stored in await history(bus, topology.ALL_TEXTS)
        if isinstance(event := stored.event(), InboundMessage)
    ]
