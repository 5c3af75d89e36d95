"""Promise P1: a webhook answered 200 is as durable as the broker's disk, which writes before it acks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cluster import Brokers
from harness.people import Person, simulator_of
from harness.stack import running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.events import InboundMessage

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

TEXTS = 15


async def test_p1_a_broker_that_dies_after_every_ack_loses_no_text(tmp_path: Path) -> None:
    brokers = Brokers(tmp_path / "brokers", 1)
    broker = brokers.running["nats-1"]
    assert "sync_interval: always" in (tmp_path / "brokers" / "nats-1.conf").read_text()
    await brokers.start()
    try:
        settings = {"NATS_URL": brokers.url}
        async with (
            running_stack(tmp_path, ("declare", "simulator", "ingress"), settings) as stack,
            simulator_of(stack) as simulator,
        ):
            person, accepted = Person("+15550140001", simulator), []
            for n in range(TEXTS):
                accepted.append(await person.text(f"text {n}"))
                await broker.restart()
            assert await _texts(brokers.url) == accepted
    finally:
        await brokers.stop()


async def _texts(nats_url: str) -> list[str]:
    """The SIDs in the stream, in its order, once the broker answers."""
    bus = Bus(Broker(nats_url), name="test")
    await bus.connect()
    try:
        await wait_until(lambda: _answers(bus))
        found: list[str] = []
        seq = 1
        while (stored := await bus.next(topology.ALL_TEXTS, seq=seq)) is not None:
            event = stored.event()
            assert isinstance(event, InboundMessage)
            found.append(event.id)
            seq = stored.seq + 1
        return found
    finally:
        await bus.close()


async def _answers(bus: Bus) -> bool:
    try:
        await bus.stream_answers(topology.CONVERSATIONS, timeout_s=1.0)
    except BROKER_TROUBLE:
        return False
    return True
