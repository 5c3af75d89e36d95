"""A broker, an ingress in front of it, and Twilio in front of that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from harness.running import Running
from harness.stack import BROKER_ONLY, Stack, running_stack
from integration.ingress.sender import ACCOUNT, IDENTITY, NUMBER, SETTINGS, TOKEN, Sender
from integration.ingress.twilio_log_server import TwilioLogServer, twilio_log_server
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import Channel
from parley_common.consent import ConsentLedger
from parley_ingress.backfill import Backfill
from parley_ingress.twilio_log import TwilioLog

BUDGET_S = 1.0
MOST_PENDING = 20


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """One for all tests of a file, emptied before each."""
    async with running_stack(tmp_path_factory.mktemp("stack"), BROKER_ONLY) as stack:
        yield stack


@pytest.fixture(scope="module")
async def shared_ingress(broker: Stack) -> Running:
    settings = {
        **SETTINGS,
        "PARLEY_ACK_BUDGET_S": str(BUDGET_S),
        "PARLEY_MOST_PENDING_WEBHOOKS": str(MOST_PENDING),
        "PARLEY_BACKFILL_EVERY_S": "0",
    }
    running = broker.prepare("ingress-1", "ingress", settings)
    await running.start()
    return running


@pytest.fixture
async def ingress(shared_ingress: Running, bus: Bus) -> Running:
    for stream in (topology.CONVERSATIONS, topology.REPORTS, topology.CONSENT):
        await bus.js.purge_stream(stream)
    return shared_ingress


@pytest.fixture
async def sender(broker: Stack, ingress: Running) -> AsyncIterator[Sender]:
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(base_url=broker.url("ingress-1"), timeout=20, limits=limits) as client:
        yield Sender(client=client)


@pytest.fixture
async def bus(broker: Stack) -> AsyncIterator[Bus]:
    connection = Bus(Broker(broker.nats_url), name="test")
    await connection.connect()
    yield connection
    await connection.close()


@pytest.fixture
def consent(bus: Bus) -> ConsentLedger:
    return ConsentLedger(bus, IDENTITY)


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioLogServer]:
    async with twilio_log_server() as server:
        yield server


@pytest.fixture
def channel(twilio: TwilioLogServer) -> Channel:
    """The channel of the ingress, with that server as its Twilio."""
    return Channel(
        name="default",
        account_sid=ACCOUNT,
        auth_tokens=(TOKEN,),
        numbers=(NUMBER,),
        messaging_service_sid=None,
        allowed=frozenset(),
        allow_all=True,
        api_base_url=twilio.url,
    )


@asynccontextmanager
async def opened_log() -> AsyncIterator[TwilioLog]:
    """A reader of the log that soon loses patience."""
    log = TwilioLog(timeout_s=0.5)
    await log.open()
    yield log
    await log.close()


@pytest.fixture
async def backfill(bus: Bus, consent: ConsentLedger) -> AsyncIterator[Backfill]:
    """A backfill at empty streams."""
    for stream in (topology.CONVERSATIONS, topology.CONSENT):
        await bus.js.purge_stream(stream)
    await bus.js.purge_stream(topology.CONTROL, subject=topology.log_read("*"))
    async with opened_log() as log:
        yield Backfill(bus, IDENTITY, consent, log)
