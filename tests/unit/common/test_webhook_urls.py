"""What egress writes into an address of ours, ingress reads back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.webhook_urls import (
    INBOUND_PATH,
    STATUS_PATH,
    inbound_url,
    part_of_query,
    posted_at_of_query,
    status_callback_url,
    trace_of_query,
)

PUBLIC = "https://sms.example"
PART = "0123456789abcdef" * 2
TRACE = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "vendor=a=b,other=c&d",
}


def query_of(url: str) -> Mapping[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def test_the_part_and_the_trace_come_back() -> None:
    query = query_of(status_callback_url(PUBLIC, PART, TRACE))
    assert part_of_query(query) == PART
    assert trace_of_query(query) == TRACE


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_trace_state_breaks_the_address(state: str) -> None:
    query = query_of(status_callback_url(PUBLIC, PART, {"tracestate": state}))
    assert part_of_query(query) == PART
    assert trace_of_query(query) == {"tracestate": state}


def test_without_a_trace_only_the_part_is_carried() -> None:
    assert query_of(status_callback_url(PUBLIC, PART, {})) == {"part": PART}


def test_no_other_header_gets_into_an_address() -> None:
    assert "secret" not in status_callback_url(PUBLIC, PART, TRACE | {"authorization": "secret"})


@pytest.mark.parametrize(
    ("url", "path"),
    [
        pytest.param(inbound_url(PUBLIC), INBOUND_PATH, id="inbound"),
        pytest.param(status_callback_url(PUBLIC, PART, TRACE), STATUS_PATH, id="status"),
    ],
)
def test_twilio_is_asked_to_retry_on_whatever_goes_wrong(url: str, path: str) -> None:
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == PUBLIC
    assert parts.path == path
    assert parts.fragment == "rc=5&rp=all"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="none"),
        pytest.param({"part": ""}, id="empty"),
        pytest.param({"part": PART[:-1]}, id="cut off"),
        pytest.param({"part": PART + "0"}, id="longer"),
        pytest.param({"part": PART + "\n"}, id="a line more"),
        pytest.param({"part": PART.upper()}, id="upper case"),
        pytest.param({"part": "x" * 30 + ".*"}, id="a subject's wildcard"),
    ],
)
def test_what_is_none_of_our_parts_is_none(query: dict[str, str]) -> None:
    assert part_of_query(query) is None


def test_the_time_of_the_post_comes_back() -> None:
    posted_at = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    query = query_of(status_callback_url(PUBLIC, PART, {}, posted_at=posted_at))
    assert posted_at_of_query(query) == posted_at


@pytest.mark.parametrize("posted", ["", "soon", "-176371380", "9" * 11])
def test_a_callback_without_a_time_has_none(posted: str) -> None:
    assert posted_at_of_query({"posted": posted}) is None
    assert posted_at_of_query({}) is None
