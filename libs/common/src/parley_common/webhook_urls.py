"""The addresses Twilio calls: their paths, what a status callback carries, and how Twilio shall retry.

Egress writes the status callback's address, ingress reads it back; both do it here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

INBOUND_PATH = "/webhooks/twilio/sms"
STATUS_PATH = "/webhooks/twilio/status"

RETRY_FRAGMENT = "#rc=5&rp=all"
"""Twilio's connection overrides: five retries on whatever goes wrong. The fragment is not signed."""

_PART = "part"
_TRACE = ("traceparent", "tracestate")
_POSTED_AT = "posted"
_SECONDS = re.compile(r"[0-9]{10}")
_PART_ID = re.compile(r"[0-9a-f]{32}")


def inbound_url(public_url: str) -> str:
    """What to set as the webhook of a number or Messaging Service."""
    return f"{public_url}{INBOUND_PATH}{RETRY_FRAGMENT}"


def status_callback_url(
    public_url: str, part_id: str, trace_headers: Mapping[str, str], *, posted_at: datetime | None = None
) -> str:
    """The StatusCallback of one part: carries its id, when it was posted, and the trace that leads to it."""
    carried = {name: trace_headers[name] for name in _TRACE if name in trace_headers}
    if posted_at is not None:
        carried[_POSTED_AT] = str(int(posted_at.timestamp()))
    return f"{public_url}{STATUS_PATH}?{urlencode({_PART: part_id} | carried)}{RETRY_FRAGMENT}"


def part_of_query(query: Mapping[str, str]) -> str | None:
    """The part's id in the query of a status callback, None where there is none or it isn't one of ours."""
    part_id = query.get(_PART, "")
    return part_id if _PART_ID.fullmatch(part_id) else None


def posted_at_of_query(query: Mapping[str, str]) -> datetime | None:
    """When the part was posted, None where a status callback does not say so."""
    seconds = query.get(_POSTED_AT, "")
    return datetime.fromtimestamp(int(seconds), UTC) if _SECONDS.fullmatch(seconds) else None


def trace_of_query(query: Mapping[str, str]) -> dict[str, str]:
    """The trace context in the query of a status callback."""
    return {name: query[name] for name in _TRACE if name in query}
