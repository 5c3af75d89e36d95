"""Clients that are slow, silent, many or talk nonsense: each costs little, and none hears a word of plain text."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from harness.running import Running
from harness.stack import Stack
from harness.waiting import wait_until
from integration.ingress.sender import SETTINGS, Sender, text, texts
from integration.ingress.wire import Wire, head, post, status_of, wired
from parley_common.bus import Bus

pytestmark = pytest.mark.anyio

LIMIT_S = 0.6
CONNECTIONS = 12
FIT = {
    **SETTINGS,
    "PARLEY_HEAD_TIMEOUT_S": str(LIMIT_S),
    "PARLEY_BODY_TIMEOUT_S": str(LIMIT_S),
    "PARLEY_MOST_CONNECTIONS": str(CONNECTIONS),
    "PARLEY_ACK_BUDGET_S": "3",
    "PARLEY_BACKFILL_EVERY_S": "0",
}


@pytest.fixture(scope="module")
async def impatient(broker: Stack) -> Running:
    running = broker.prepare("ingress-2", "ingress", FIT)
    await running.start()
    return running


@pytest.fixture
def url(broker: Stack, impatient: Running) -> str:
    return broker.url("ingress-2")


@pytest.fixture
async def genuine(url: str) -> AsyncIterator[Sender]:
    each_its_own = httpx.Limits(max_keepalive_connections=0)  # one that waits is shown out, see below
    async with httpx.AsyncClient(base_url=url, limits=each_its_own) as client:
        yield Sender(client=client)


def is_json(answer: bytes, status: int) -> bool:
    """An answer of that status whose body is JSON, after which the connection ends."""
    lines = answer.lower().split(b"\r\n")
    return (
        status_of(answer) == status
        and b"content-type: application/json" in lines
        and b"connection: close" in lines
        and answer.endswith(b'"}')
    )


async def trickle(wire: Wire, data: bytes) -> None:
    """One byte at a time, for ever."""
    while not wire.writer.is_closing():
        for byte in data:
            await wire.send(bytes([byte]))
            await asyncio.sleep(0.05)


async def trickled(wire: Wire, data: bytes) -> bytes:
    """What comes back while bytes trickle out."""
    trickling = asyncio.create_task(trickle(wire, data))
    answer = await wire.rest()
    trickling.cancel()
    await asyncio.gather(trickling, return_exceptions=True)
    return answer


async def test_a_body_that_trickles_in_is_answered_408(url: str, genuine: Sender) -> None:
    async with wired(url) as wire:
        await wire.send(head(extra=b"Content-Length: 60000\r\n"))
        before = await closed(genuine, "body")
        answer = await trickled(wire, b"a=1&")
        assert is_json(answer, 408)
    assert await closed(genuine, "body") == before + 1
    assert (await genuine.post(text())).status_code == 200


async def test_a_body_in_chunks_that_trickles_in_is_answered_408(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(head(extra=b"Transfer-Encoding: chunked\r\n"))
        assert is_json(await trickled(wire, b"1\r\na\r\n"), 408)


async def test_headers_that_trickle_in_are_answered_408(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(b"POST /webhooks/twilio/sms HTTP/1.1\r\n")
        assert is_json(await trickled(wire, b"X-A: b\r\n"), 408)


async def test_who_connects_and_says_nothing_is_shown_out(url: str) -> None:
    async with wired(url) as wire:
        assert await wire.rest() == b""


async def test_who_says_nothing_more_after_an_answer_is_shown_out(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(post(text()))
        assert status_of(await wire.answer()) == 200
        assert await wire.rest() == b""


async def test_who_only_sends_empty_lines_after_an_answer_is_shown_out(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(post(text()))
        assert status_of(await wire.answer()) == 200
        assert await trickled(wire, b"\r\n") == b""


async def test_a_connection_that_is_used_again_and_again_stays(url: str) -> None:
    async with wired(url) as wire:
        for _ in range(4):
            await wire.send(post(text()))
            assert status_of(await wire.answer()) == 200
            await asyncio.sleep(LIMIT_S / 2)


async def test_a_body_that_nobody_waits_for_any_more_ends_the_connection(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(head(extra=b"Content-Length: 900000\r\n") + b"a" * 70_000)
        assert status_of(await wire.answer()) == 413
        assert await trickled(wire, b"aaaa") == b""


async def test_a_client_that_waits_for_the_broker_is_not_slow(
    url: str, genuine: Sender, broker: Stack, bus: Bus
) -> None:
    fields = text()
    broker["nats"].pause()
    posting = asyncio.create_task(genuine.post(fields))
    await asyncio.sleep(LIMIT_S * 2)
    broker["nats"].resume()
    assert (await posting).status_code == 200
    assert fields["MessageSid"] in [message.id for message in await texts(bus)]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"POST /webhooks/twilio/sms HTTP/9.9\r\n\r\n",
        b"GET ?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET \xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        head(extra=b"Content-Length: x\r\n"),
        head(extra=b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + b"a=1&b",
        head(extra=b"Transfer-Encoding: chunked\r\n") + b"zz\r\n",
        head(extra=b"Bad Header: 1\r\n"),
    ],
)
async def test_malformed_http_is_answered_in_json(nonsense: bytes, url: str, genuine: Sender) -> None:
    async with wired(url) as wire:
        await wire.send(nonsense)
        assert is_json(await wire.rest(), 400)
    assert (await genuine.post(text())).status_code == 200


async def test_an_answer_that_is_due_is_not_mixed_up_with_one_to_nonsense(
    url: str, broker: Stack, bus: Bus
) -> None:
    """Nonsense follows a text on its connection: nothing is said for the text, which is stored all the same."""
    fields = text()
    broker["nats"].pause()
    async with wired(url) as wire:
        await wire.send(post(fields) + b"\x00\x01 nonsense\r\n\r\n")
        answer = await wire.rest()
    broker["nats"].resume()
    assert answer == b""

    async def stored() -> bool:
        return fields["MessageSid"] in [message.id for message in await texts(bus)]

    await wait_until(stored, what="the text in the stream")


async def test_a_head_without_end_is_answered_431(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(b"POST /webhooks/twilio/sms HTTP/1.1\r\n")
        sending = asyncio.create_task(endless(wire, b"X-" + b"a" * 8_000 + b": b\r\n"))
        answer = await wire.rest()
        sending.cancel()
    assert answer == b"" or is_json(answer, 431)


async def test_trailers_without_end_end_the_connection(url: str) -> None:
    async with wired(url) as wire:
        await wire.send(head(extra=b"Transfer-Encoding: chunked\r\n") + b"3\r\na=1\r\n0\r\n")
        sent = await endless(wire, b"X-" + b"a" * 8_000 + b": b\r\n")
    assert sent < 10_000_000


async def endless(wire: Wire, data: bytes) -> int:
    """Sends until the other side has had enough, at most 40 MB; returns how much that was."""
    sent = 0
    while not wire.writer.is_closing() and sent < 40_000_000:
        await wire.send(data)
        sent += len(data)
    return sent


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_a_client_that_offers_another_protocol_is_answered_in_http(protocol: bytes, url: str) -> None:
    offer = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\nSec-WebSocket-Version: 13\r\n"
    async with wired(url) as wire:
        await wire.send(b"GET /webhooks/twilio/sms HTTP/1.1\r\nHost: x\r\n" + offer + b"\r\n")
        answer = await wire.answer()
    assert status_of(answer) == 403
    assert b"text/plain" not in answer


async def test_above_the_most_connections_the_next_is_closed_at_once_and_counted(
    url: str, genuine: Sender
) -> None:
    before = await closed(genuine, "connections")
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(wired(url)) for _ in range(CONNECTIONS * 2)]
        ends = await asyncio.gather(*(wire.rest() for wire in wires[CONNECTIONS:]))
        assert set(ends) == {b""}

    async def answered() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return (await genuine.post(text())).status_code == 200
        return False

    await wait_until(answered, what="room for a connection")
    assert await closed(genuine, "connections") >= before + CONNECTIONS


async def closed(sender: Sender, limit: str) -> float:
    """How many connections were closed because of this limit, as the service itself counts."""
    page = (await sender.client.get("/metrics")).text
    wanted = f'parley_connections_closed_total{{limit="{limit}"}} '
    return sum(float(line.removeprefix(wanted)) for line in page.splitlines() if line.startswith(wanted))
