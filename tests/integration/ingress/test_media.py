"""Files that go out: served to whoever has a link, a few at a time, and never at the cost of a webhook."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from harness.running import Running
from harness.stack import Stack
from harness.waiting import wait_until
from integration.ingress.sender import PUBLIC_URL, SECRET_KEY, Sender, text
from parley_common import topology
from parley_common.bus import Bus
from parley_common.domain.media_limits import MOST_BYTES
from parley_common.media_links import MediaLinks, hosted_url, out_name
from parley_common.media_store import MediaStore

pytestmark = pytest.mark.anyio

LINKS = MediaLinks((SECRET_KEY.encode(),))
LARGE = os.urandom(MOST_BYTES)


async def link(bus: Bus, data: bytes, content_type: str = "image/png") -> str:
    """The path and query of the link to a file that is kept."""
    await MediaStore(bus, kept_s=topology.Limits().media_kept_s).put(out_name(data), data, content_type)
    return path_of(out_name(data))


def path_of(name: str) -> str:
    url = LINKS.url(PUBLIC_URL, hosted_url(name), now=datetime.now(UTC))
    return url.removeprefix(PUBLIC_URL)


@pytest.mark.parametrize("data", [pytest.param(b"x", id="small"), pytest.param(LARGE, id="large")])
async def test_a_file_comes_whole_and_tells_what_it_is(sender: Sender, bus: Bus, data: bytes) -> None:
    path = await link(bus, data, "image/gif")
    answer = await sender.client.get(path)
    assert (answer.status_code, answer.content == data) == (200, True)
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert "sandbox" in answer.headers["content-security-policy"]
    head = await sender.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(data))
    assert head.headers["content-type"] == "image/gif"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_file_is_only_read(sender: Sender, bus: Bus, method: str) -> None:
    answer = await sender.client.request(method, await link(bus, b"x"))
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/json")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_is_not_kept_or_was_sent_by_people_is_404(sender: Sender, bus: Bus, method: str) -> None:
    store = MediaStore(bus, kept_s=topology.Limits().media_kept_s)
    await store.put("in/MM" + "a" * 32 + "/0", b"of somebody", "image/png")
    for name in (out_name(b"never kept"), "in/MM" + "a" * 32 + "/0", "out/" + "A" * 64):
        answer = await sender.client.request(method, path_of(name))
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


async def test_a_link_is_not_asked_of_the_broker_before_it_is_verified(
    sender: Sender, broker: Stack, ingress: Running
) -> None:
    broker["nats"].pause()
    try:
        answer = await sender.client.get(f"/media/{out_name(b'x')}?expires=9999999999&signature={'0' * 64}")
    finally:
        broker["nats"].resume()
    assert answer.status_code == 403


async def test_without_a_broker_a_file_is_503_and_then_served_again(
    sender: Sender, broker: Stack, bus: Bus, ingress: Running
) -> None:
    path = await link(bus, b"never served before")
    broker["nats"].kill()
    for method in ("GET", "HEAD"):
        answer = await sender.client.request(method, path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    await broker["nats"].start()

    async def served() -> bool:
        return (await sender.client.get(path)).status_code == 200

    await wait_until(served, 20.0, what="the file being served again")
    await wait_until(lambda: bus.nc.is_connected, 10.0, what="the test's own connection")


async def test_webhooks_are_answered_while_all_places_for_files_are_taken(
    sender: Sender, broker: Stack, bus: Bus
) -> None:
    path = await link(bus, LARGE)
    address = urlsplit(broker.url("ingress-1"))
    slow = []
    for _ in range(8):
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await writer.drain()
        assert b"200" in await reader.readline()
        slow.append(writer)
    waiting = asyncio.create_task(sender.client.get(path))
    answers = await asyncio.gather(*(sender.post(text()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await waiting).status_code == 503
    for writer in slow:
        writer.close()

    async def served() -> bool:
        return (await sender.client.get(path)).status_code == 200

    await wait_until(served, 45.0, what="a place being free again")


async def test_many_may_fetch_the_same_file_at_once(sender: Sender, bus: Bus) -> None:
    data = os.urandom(500_000)
    path = await link(bus, data)
    answers: list[httpx.Response] = await asyncio.gather(*(sender.client.get(path) for _ in range(40)))
    assert all(answer.status_code == 200 and answer.content == data for answer in answers)


async def test_a_broadcast_reads_its_file_from_the_broker_once(sender: Sender, bus: Bus) -> None:
    data = os.urandom(300_000)
    path = await link(bus, data)
    assert (await sender.client.get(path)).content == data
    await bus.js.purge_stream(topology.MEDIA_STREAM)
    answers: list[httpx.Response] = await asyncio.gather(*(sender.client.get(path) for _ in range(20)))
    assert all(answer.status_code == 200 and answer.content == data for answer in answers)
    assert (await sender.client.get(path_of(out_name(b"another")))).status_code == 404
