"""A user of the broker that may hear its own inbox alone hears all it asks for there, doorbells too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.cluster import Brokers
from harness.waiting import wait_until
from parley_common import topology
from parley_common.bells import BellSubscriber
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.declare import declare
from parley_common.doorbells import Bell
from unit.status.samples import inbound

pytestmark = pytest.mark.anyio

_USERS = """
authorization {
  users: [
    {user: declare, password: declare-password}
    {user: agent, password: agent-password, permissions: {publish: [">"], subscribe: ["_INBOX_agent.>"]}}
  ]
}
"""


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """A server that knows a user for each, with all declared."""
    brokers = Brokers(tmp_path / "brokers", 1)
    with (tmp_path / "brokers" / "nats-1.conf").open("a") as config:
        config.write(_USERS)
    await brokers.start()
    bus = Bus(Broker(brokers.url, user="declare", password="declare-password"), name="test")
    await bus.connect()
    await declare(bus.js, topology.Limits(max_bytes=10_000_000, media_max_bytes=10_000_000))
    await bus.close()
    yield brokers.url
    await brokers.stop()


async def test_bells_and_answers_arrive_in_the_users_own_inbox(url: str) -> None:
    broker = Broker(url, user="agent", password="agent-password", inbox_prefix="_INBOX_agent")
    heard: list[int] = []

    async def on_bell(_subject: str, bell: Bell, _body: bytes) -> None:
        await asyncio.sleep(0)
        heard.append(bell.seq)

    bus, subscriber = Bus(broker, name="test"), BellSubscriber(broker, topology.AGENT_BELLS, on_bell)
    await bus.connect()
    await subscriber.start()
    text = inbound()
    seq = await bus.publish(topology.texts(text.conversation), text)
    await wait_until(lambda: heard == [seq], what="the bell being heard")
    await subscriber.stop(bus)
    await bus.close()
