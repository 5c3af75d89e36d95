"""A broker, a Twilio to answer badly, and a worker between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from harness.stack import BROKER_ONLY, Stack, running_stack
from integration.egress.twilio_stub import TwilioStub, running_stub
from integration.egress.workbench import Conversation, Worker, working
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus


@pytest.fixture(scope="module")
async def shared_broker(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path_factory.mktemp("stack"), BROKER_ONLY) as stack:
        yield stack


@pytest.fixture
async def broker(shared_broker: Stack) -> Stack:
    """One for all tests of a file, emptied before each."""
    shared_broker["nats"].resume()
    bus = Bus(Broker(shared_broker.nats_url), name="test-purge")
    await bus.connect()
    for stream in (topology.CONVERSATIONS, topology.REPORTS, topology.CONSENT, topology.LEASES):
        await bus.js.purge_stream(stream)
    await bus.close()
    return shared_broker


@pytest.fixture
async def twilio(anyio_backend: str) -> AsyncIterator[TwilioStub]:
    async with running_stub() as stub:
        yield stub


@pytest.fixture
async def worker(broker: Stack, twilio: TwilioStub) -> AsyncIterator[Worker]:
    async with working(broker.nats_url, twilio) as one:
        yield one


@pytest.fixture
def conversation(worker: Worker) -> Conversation:
    return Conversation(worker.bus)
