"""The body of a webhook: bounded, refused where it is no form, and kept to the letter where it is one."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from parley_ingress.forms import MOST_BYTES, MOST_FIELDS, Form, Refused, read_form

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"


def request(
    body: bytes | Iterable[bytes] = b"",
    *,
    method: str = "POST",
    content_type: str | None = FORM,
    query: bytes = b"",
    host: bytes = b"sms.example.com",
) -> Request:
    """A request as the server hands it over; the body may come in chunks."""
    chunks = [body] if isinstance(body, bytes) else list(body)
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    incoming = iter(messages)

    async def receive() -> Message:
        return next(incoming)

    headers = [(b"host", host)]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode("latin-1")))
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": "/webhooks/twilio/sms",
        "query_string": query,
        "headers": headers,
        "server": ("127.0.0.1", 8080),
    }
    return Request(scope, receive)


async def refusal(incoming: Request) -> Refused:
    with pytest.raises(Refused) as caught:
        await read_form(incoming)
    return caught.value


async def test_every_field_is_kept_in_its_order() -> None:
    body = b"ToCity=&Body=+two++spaces+&ToZip=&Media=1&Media=2&Media=1&Empty"
    form = await read_form(request(body))
    assert form.fields == [
        ("ToCity", ""),
        ("Body", " two  spaces "),
        ("ToZip", ""),
        ("Media", "1"),
        ("Media", "2"),
        ("Media", "1"),
        ("Empty", ""),
    ]
    assert form.body == body


async def test_the_first_of_several_values_counts() -> None:
    form = await read_form(request(b"a=1&a=2"))
    assert (form.get("a"), form.get("b")) == ("1", "")


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=40))
@settings(suppress_health_check=[HealthCheck.too_slow])
async def test_what_twilio_encodes_comes_back_to_the_letter(fields: list[tuple[str, str]]) -> None:
    body = urlencode(fields).encode()
    assert (await read_form(request(body))).fields == fields


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param(FORM, id="plain"),
        pytest.param(FORM + "; charset=utf-8", id="with a charset"),
        pytest.param(FORM.upper(), id="in capitals"),
        pytest.param(f" {FORM} ; charset=UTF-8", id="with spaces"),
    ],
)
async def test_a_form_is_known_by_its_content_type(content_type: str) -> None:
    assert (await read_form(request(b"a=1", content_type=content_type))).get("a") == "1"


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("application/json", id="JSON"),
        pytest.param("multipart/form-data; boundary=x", id="multipart"),
        pytest.param("text/plain", id="text"),
        pytest.param(FORM + "-x", id="almost a form"),
    ],
)
async def test_another_content_type_is_refused(content_type: str | None) -> None:
    refused = await refusal(request(b"a=1", content_type=content_type))
    assert refused.status == 415
    assert FORM in str(refused)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Body=%FF", id="bad UTF-8, encoded"),
        pytest.param(b"Body=%C3", id="half a character"),
        pytest.param(b"%80=1", id="in a name"),
        pytest.param(b"Body=%ED%A0%80", id="a lone surrogate"),
        pytest.param(b"Body=\xc3\xa9", id="UTF-8 that was not encoded"),
        pytest.param(b"\x00\xff\xfe", id="no form at all"),
    ],
)
async def test_bytes_that_are_no_utf_8_form_are_refused(body: bytes) -> None:
    assert (await refusal(request(body))).status == 400


@pytest.mark.parametrize("query", [b"Body=%FF", b"%C3=1", b"Body=%ED%A0%80"], ids=repr)
async def test_a_query_that_is_no_utf_8_form_is_refused(query: bytes) -> None:
    assert (await refusal(request(method="GET", query=query))).status == 400


async def test_too_many_fields_are_refused() -> None:
    assert len((await read_form(request(b"&".join([b"a=1"] * MOST_FIELDS)))).fields) == MOST_FIELDS
    assert (await refusal(request(b"&".join([b"a=1"] * (MOST_FIELDS + 1))))).status == 400


@pytest.mark.parametrize("size", [1, 1_000, MOST_BYTES], ids=["in single bytes", "in kilobytes", "at once"])
async def test_a_body_of_the_most_bytes_is_read_whole(size: int) -> None:
    body = b"a=" + b"x" * (MOST_BYTES - 2)
    form = await read_form(request(body[start : start + size] for start in range(0, len(body), size)))
    assert form.body == body


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    read = 0

    def chunks() -> Iterable[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 8_192

    source = chunks()

    async def receive() -> Message:
        return {"type": "http.request", "body": next(iter(source)), "more_body": True}

    endless = Request(request().scope, receive)
    assert (await refusal(endless)).status == 413
    assert read == MOST_BYTES // 8_192 + 1


async def test_a_get_has_its_fields_in_the_query_and_no_body() -> None:
    form = await read_form(request(method="GET", query=b"Body=a+b&ToCity=&x=%2B1", content_type=None))
    assert form == Form(fields=[("Body", "a b"), ("ToCity", ""), ("x", "+1")], body=b"")


async def test_the_query_of_a_post_is_no_field() -> None:
    form = await read_form(request(b"a=1", query=b"b=2"))
    assert form.fields == [("a", "1")]


async def test_raw_bytes_in_a_query_are_refused() -> None:
    assert (await refusal(request(method="GET", query=b"Body=\xff"))).status == 400


@pytest.mark.parametrize("host", [b"[", b"[::1", b"a]b", b"\xff", b"", b"x" * 10_000], ids=repr)
async def test_no_host_header_changes_what_a_get_says(host: bytes) -> None:
    form = await read_form(request(method="GET", query=b"a=1&b=%23", host=host))
    assert form.fields == [("a", "1"), ("b", "#")]


async def test_a_hash_in_a_query_ends_nothing() -> None:
    """A server may hand over a bare # that a client sent."""
    form = await read_form(request(method="GET", query=b"a=1&b=2#c"))
    assert form.get("a") == "1"


@given(st.binary(max_size=300))
async def test_whatever_comes_is_a_form_or_refused(body: bytes) -> None:
    try:
        outcome: bytes | int = (await read_form(request(body))).body
    except Refused as refused:
        outcome = refused.status
    assert outcome in (body, 400)
