"""``parley backfill`` asks over the broker, and a running ingress answers what became of it. Promise P9."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.ingress.sender import texts
from integration.ingress.twilio_log_server import TwilioLogServer, row
from parley_common import requests
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import Channel, Channels
from parley_common.requests import BackfillAnswer, BackfillRequest
from parley_ingress.backfill import Backfill
from parley_ingress.backfill_desk import BackfillDesk

pytestmark = [
    pytest.mark.anyio,
    # of Twilio's client
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated"),
]

NOW = datetime.now(UTC).replace(microsecond=0)
SINCE, UNTIL = NOW - timedelta(hours=2), NOW
PERIOD = BackfillRequest(since=SINCE, until=UNTIL)


@asynccontextmanager
async def desk_of(backfill: Backfill, channel: Channel, bus: Bus) -> AsyncIterator[BackfillDesk]:
    desk = BackfillDesk(bus, Channels((channel,)), backfill, after=timedelta(), kept=timedelta(days=30))
    await desk.open()
    yield desk
    await desk.close()


async def ask(bus: Bus, request: BackfillRequest | bytes) -> BackfillAnswer:
    data = request if isinstance(request, bytes) else requests.encode(request)
    answer = await bus.nc.request(requests.BACKFILL, data, timeout=20)
    return requests.decode(answer.data, BackfillAnswer)


async def test_what_may_still_come_by_webhook_is_left_out(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    now = datetime.now(UTC)
    twilio.rows = [row(now - timedelta(seconds=60), "on its way")]
    desk = BackfillDesk(bus, Channels((channel,)), backfill, after=timedelta(minutes=3), kept=timedelta(days=30))
    answer = await desk.answer(requests.encode(BackfillRequest(since=SINCE, until=now)))
    assert (answer.found, answer.brought_in) == (0, 0)
    assert "may still come by webhook" in answer.problems[0]


async def test_an_operator_has_a_period_brought_in_and_is_told_the_counts(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(SINCE, "one"), row(NOW - timedelta(hours=1), "two")]
    async with desk_of(backfill, channel, bus):
        assert await ask(bus, PERIOD) == BackfillAnswer(found=2, brought_in=2)
        assert await ask(bus, PERIOD) == BackfillAnswer(found=2, known=2)
        named = BackfillRequest(since=SINCE, until=UNTIL, channel="default")
        assert await ask(bus, named) == BackfillAnswer(found=2, known=2)
    assert [message.body for message in await texts(bus)] == ["one", "two"]


async def test_of_several_replicas_one_answers(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(SINCE)]
    async with desk_of(backfill, channel, bus), desk_of(backfill, channel, bus):
        assert await ask(bus, PERIOD) == BackfillAnswer(found=1, brought_in=1)
        await asyncio.sleep(0.2)
    assert len(twilio.asked) == 1


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (b"{}", "no request for a backfill"),
        (b"\xff", "no request for a backfill"),
        (b'{"since": "2026-11-21T10:00:00", "until": "2026-11-21T11:00:00"}', "no request for a backfill"),
        (BackfillRequest(since=UNTIL, until=SINCE), "--since must be before --until"),
        (BackfillRequest(since=SINCE, until=UNTIL, channel="sales"), "no channel 'sales'"),
    ],
)
async def test_a_request_that_makes_no_sense_is_answered_with_what_is_wrong(
    request_: BackfillRequest | bytes, words: str, backfill: Backfill, channel: Channel, bus: Bus
) -> None:
    async with desk_of(backfill, channel, bus):
        (problem,) = (await ask(bus, request_)).problems
        assert words in problem
        assert (await ask(bus, PERIOD)).problems == ()


async def test_what_the_stream_has_forgotten_already_is_not_brought_in_again(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(NOW - timedelta(days=31), "forgotten"), row(NOW - timedelta(days=29), "missed")]
    request = BackfillRequest(since=NOW - timedelta(days=60), until=UNTIL)
    async with desk_of(backfill, channel, bus):
        answer = await ask(bus, request)
    assert (answer.found, answer.brought_in) == (1, 1)
    assert "older than 30.0 days was left out" in answer.problems[0]


async def test_trouble_with_twilio_is_among_the_problems(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.trouble = 401
    async with desk_of(backfill, channel, bus):
        (problem,) = (await ask(bus, PERIOD)).problems
    assert "TWILIO_AUTH_TOKEN" in problem


async def test_an_operator_is_told_of_texts_that_cannot_be_read(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(SINCE, "one"), row(SINCE, "two", sid="?")]
    async with desk_of(backfill, channel, bus):
        answer = await ask(bus, PERIOD)
    assert (answer.found, answer.brought_in) == (2, 1)
    assert answer.problems == ("1 cannot be read: the log of ingress names their SIDs",)


async def test_who_waits_for_an_ingress_that_is_stopped_is_told(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus, broker: Stack
) -> None:
    twilio.slow_s = 0.4
    of_ingress = Bus(Broker(broker.nats_url), name="ingress")
    await of_ingress.connect()
    async with desk_of(backfill, channel, of_ingress):
        for _ in range(2):  # the first PING of nats-py may overtake the SUB that waits to be written
            await of_ingress.nc.flush()
        asking = asyncio.create_task(ask(bus, PERIOD))
        await wait_until(lambda: twilio.asked, what="the question to Twilio")
    await of_ingress.close()
    (problem,) = (await asking).problems
    assert "run it again" in problem
