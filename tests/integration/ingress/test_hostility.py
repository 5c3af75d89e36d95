"""Thousands of bodies nobody at Twilio would send: each is refused or taken, none is an error of ours."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from urllib.parse import urlencode, urlsplit

import anyio
import pytest

from harness.running import Running
from harness.stack import Stack
from integration.ingress.sender import (
    FORM,
    INBOUND,
    PUBLIC_URL,
    STATUS,
    Fields,
    Sender,
    report,
    sign,
    text,
)

pytestmark = pytest.mark.anyio

COUNT = 1_500
EXPECTED = {200, 400, 403, 413, 415}

NASTY = (
    *("", "\0", "\r\n", "\r\nNats-Msg-Id: x", "{}", "*", ">", "a.b", "+", "'", '"', "<Response/>", "\u202e"),
    *(
        "\ufffe",
        "😀" * 50,
        "9" * 400,
        "-1",
        "1e9",
        "٣",
        "ﬀ",
        "null",
        "../../x",
        "%00",
        "STOP",
        "ſtop",
        "x" * 5_000,
    ),
)
NAMES = (
    *(*text(), *report(), "OptOutType", "NumMedia", "MediaUrl0", "MediaContentType0", "ErrorCode", "NumSegments"),
    *("ProfileName", "MessagingServiceSid", "RawDlrDoneDate", "bodySHA256", "part", ""),
)
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"X-Twilio-Signature": "x" * 3_000},
    {"X-Twilio-Webhooks-Signature-Settings": "key=,algorithm="},
    {"X-Twilio-Webhooks-Signature-Settings": "algorithm=none,algorithm=HMAC_SHA1"},
    {"I-Twilio-Idempotency-Token": "x" * 2_000},
    {"Host": "["},
    {"Host": "a b:c"},
    {"Content-Type": FORM + "; charset=utf-7"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "x"},
    {"traceparent": "00-x-y-zz"},
    {"Expect": "nothing"},
)


def mutated(chance: random.Random) -> tuple[str, Fields]:
    """A genuine webhook with a few fields made nasty, left out or added."""
    path, fields = (INBOUND, text()) if chance.random() < 0.5 else (STATUS, report())
    for _ in range(chance.randrange(4)):
        fields[chance.choice(NAMES)] = chance.choice(NASTY)
    for name in chance.sample(sorted(fields), chance.randrange(3) if chance.random() < 0.3 else 0):
        del fields[name]
    return path + chance.choice(("", "", "?", "?part=%ff", "?part=" + "a" * 32, "?a=%00&traceparent=x")), fields


async def attack(sender: Sender, chance: random.Random) -> int:
    path, fields = mutated(chance)
    body = urlencode(fields).encode()
    if chance.random() < 0.3:
        body = chance.randbytes(chance.randrange(400))
    elif chance.random() < 0.05:
        body = b"&".join([b"a=" + b"%41" * 30] * chance.randrange(1_500))
    signature = sign(PUBLIC_URL + path, fields)
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature, **chance.choice(HEADERS)}
    if chance.random() < 0.15:
        return (await sender.client.get(f"{urlsplit(path).path}?{urlencode(fields)}", headers=headers)).status_code
    return (await sender.client.post(path, content=body, headers=headers)).status_code


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_body_makes_an_error_of_ours(seed: int, sender: Sender, ingress: Running) -> None:
    chance = random.Random(seed)
    statuses: Counter[int] = Counter()

    async def some() -> None:
        for _ in range(COUNT // 20):
            statuses[await attack(sender, chance)] += 1

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(some)
    assert set(statuses) <= EXPECTED, statuses
    assert statuses[200] > 50, "hardly anything was signed well: this run proves little"
    assert "Traceback" not in ingress.output


RAW = [
    pytest.param(b"GET /webhooks/twilio/sms?Body=\xff HTTP/1.1\r\nHost: x\r\n\r\n", id="raw bytes in a query"),
    pytest.param(b"GET /webhooks/twilio/sms?\xc3\xa9=1 HTTP/1.1\r\nHost: x\r\n\r\n", id="raw UTF-8 in a query"),
    pytest.param(b"GET /webhooks/twilio/sms?a=1 HTTP/1.1\r\nHost: [::1\r\n\r\n", id="half an address as host"),
    pytest.param(b"GET /webhooks/twilio/sms?a=1 HTTP/1.0\r\n\r\n", id="no host"),
    pytest.param(b"GET //webhooks/twilio/sms?a=1 HTTP/1.1\r\nHost: x\r\n\r\n", id="two slashes"),
    pytest.param(b"GET http://[/webhooks/twilio/sms HTTP/1.1\r\nHost: x\r\n\r\n", id="a broken absolute target"),
    pytest.param(
        b"POST /webhooks/twilio/sms HTTP/1.1\r\nHost: x\r\nContent-Type: \xff\r\nContent-Length: 0\r\n\r\n",
        id="raw bytes as content type",
    ),
    pytest.param(
        b"POST /webhooks/twilio/sms HTTP/1.1\r\nHost: x\r\nContent-Type: " + FORM.encode()
        + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        id="a broken chunk",
    ),
    pytest.param(
        b"POST /webhooks/twilio/status?part=\xff&traceparent=\xff HTTP/1.1\r\nHost: x\r\nContent-Type: "
        + FORM.encode() + b"\r\nContent-Length: 3\r\n\r\na=1",
        id="raw bytes in a callback's query",
    ),
]  # fmt: skip


@pytest.mark.parametrize("request_bytes", RAW)
async def test_no_request_line_or_header_makes_an_error_of_ours(
    request_bytes: bytes, broker: Stack, ingress: Running
) -> None:
    errors_before = ingress.output.count("Traceback")
    answer = await exchange(broker, request_bytes)
    assert answer == b"" or int(answer.split(b" ")[1]) in EXPECTED | {404}
    assert ingress.output.count("Traceback") == errors_before


async def test_who_hangs_up_in_the_middle_of_a_body_is_no_error_of_ours(
    broker: Stack, ingress: Running, sender: Sender
) -> None:
    errors_before = ingress.output.count("Traceback")
    request = (
        b"POST /webhooks/twilio/sms HTTP/1.1\r\nHost: x\r\nContent-Type: "
        + FORM.encode()
        + b"\r\nContent-Length: 1000\r\n\r\na=1"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(broker))
    writer.write(request)
    await writer.drain()
    writer.close()
    assert (await sender.post(text())).status_code == 200
    assert (await sender.post(text())).status_code == 200
    assert ingress.output.count("Traceback") == errors_before


async def exchange(broker: Stack, request_bytes: bytes) -> bytes:
    """Sends the bytes and reads the start of the answer, empty where the connection just ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(broker))
    writer.write(request_bytes)
    async with asyncio.timeout(5):
        answer = await reader.read(200)
    writer.close()
    return answer


def port_of(broker: Stack) -> int:
    """Where the ingress listens."""
    return urlsplit(broker.url("ingress-1")).port or 0
