"""What ingress tells Prometheus of webhooks, also of those that wait for a broker that says nothing."""

from __future__ import annotations

import asyncio

import pytest

from harness.metrics import scrape
from harness.stack import Stack
from harness.waiting import wait_until
from integration.ingress.sender import STATUS, Sender, report, text

pytestmark = pytest.mark.anyio


async def test_webhooks_are_counted_and_timed_by_kind_and_answer(broker: Stack, sender: Sender) -> None:
    url = broker.url("ingress-1")
    before = await scrape(url)
    await sender.post(text())
    await sender.post(report(), STATUS)
    await sender.get(text() | {"AccountSid": "AC" + "f" * 32})
    after = await scrape(url)

    def more(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    assert more("parley_webhooks_total", kind="inbound", status="200") == 1
    assert more("parley_webhooks_total", kind="inbound", status="403") == 1
    assert more("parley_webhooks_total", kind="status", status="200") == 1
    assert more("parley_webhook_seconds_count", kind="inbound") == 2
    assert more("parley_webhook_seconds_count", kind="status") == 1


async def test_webhooks_that_wait_for_the_broker_are_shown_while_they_do(broker: Stack, sender: Sender) -> None:
    url = broker.url("ingress-1")

    async def pending(wanted: int) -> bool:
        return (await scrape(url)).value("parley_webhooks_pending") == wanted

    broker["nats"].pause()
    posting = [asyncio.create_task(sender.post_until_taken(text(str(n)))) for n in range(3)]
    try:
        await wait_until(lambda: pending(3), what="three webhooks that wait")
    finally:
        broker["nats"].resume()
    await asyncio.gather(*posting)
    assert await pending(0)
