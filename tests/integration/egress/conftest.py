"""A broker, a Twilio to answer badly, and a worker between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from harness.stack import Stack
from integration.egress.twilio_stub import TwilioStub, running_stub
from integration.egress.workbench import Conversation, Worker, working


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
