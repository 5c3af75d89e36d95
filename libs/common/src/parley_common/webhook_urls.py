"""The addresses Twilio calls: their paths, what a status callback carries, and how Twilio shall retry.

Egress writes the status callback's address, ingress reads it back; both do it here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

INBOUND_PATH = "/webhooks/twilio/sms"
STATUS_PATH = "/webhooks/twilio/status"

RETRY_FRAGMENT = "#rc=5&rp=all"
"""Twilio's connection overrides: five retries on whatever goes wrong. The fragment is not signed."""

_PART = "part"
_TRACE = ("traceparent", "tracestate")
_PART_ID = re.compile(r"[0-9a-f]{32}")


def inbound_url(public_url: str) -> str:
    """What to set as the webhook of a number or Messaging Service."""
    return f"{public_url}{INBOUND_PATH}{RETRY_FRAGMENT}"


def status_callback_url(public_url: str, part_id: str, trace_headers: Mapping[str, str]) -> str:
    """The StatusCallback of one part: carries its id, and the trace that leads to it."""
    carried = {name: trace_headers[name] for name in _TRACE if name in trace_headers}
    return f"{public_url}{STATUS_PATH}?{urlencode({_PART: part_id} | carried)}{RETRY_FRAGMENT}"


def part_of_query(query: Mapping[str, str]) -> str | None:
    """The part's id in the query of a status callback, None where there is none or it isn't one of ours."""
    part_id = query.get(_PART, "")
    return part_id if _PART_ID.fullmatch(part_id) else None


def trace_of_query(query: Mapping[str, str]) -> dict[str, str]:
    """The trace context in the query of a status callback."""
    return {name: query[name] for name in _TRACE if name in query}
