"""The attributes of spans by OpenTelemetry's conventions: HTTP on either side, messages out of JetStream. Pure.

What the conventions also know and what could hold a number, a text or a secret is left out: ``url.full``,
``url.query``, addresses of clients, subjects with a conversation in them.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from parley_common import topology

Attributes = dict[str, str | int]

STATUS_CODE = "http.response.status_code"

TWILIO_MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
TWILIO_MESSAGE = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
"""Paths of Twilio's API, with names for what changes in them."""

_PORTS = {"http": 80, "https": 443}


def http_server(public_url: str, *, method: str, route: str) -> Attributes:
    """A request to us, which came by our public address."""
    return {
        "http.request.method": method,
        "http.route": route,
        "url.path": route,
        **_address(public_url),
    }


def http_client(url: str, *, method: str, template: str | None = None) -> Attributes:
    """A request of ours to the server of ``url``. ``template``: its path, with names for what changes in it."""
    attributes: Attributes = {"http.request.method": method, **_address(url)}
    return attributes if template is None else {**attributes, "url.template": template}


def server(url: str) -> Attributes:
    """Host and port of a URL, and nothing else of it. What cannot be read is left out: a span ends no work."""
    parts = _split(url)
    attributes: Attributes = {"server.address": parts.hostname or ""}
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # it is no number, or beyond 65535
        port = None
    return attributes if port is None else {**attributes, "server.port": port}


def processing(template: str, consumer: str, *, message_id: str | None = None, count: int = 1) -> Attributes:
    """Work on what was stored on a subject such as ``conv.{conversation}.in``.

    ``consumer``: whose bells speak of it. ``message_id``: of the one message, ``count``: where there are several.
    """
    attributes: Attributes = {
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": topology.stream_of(template),
        "messaging.destination.template": template,
        "messaging.consumer.group.name": consumer,
    }
    if count > 1:
        attributes["messaging.batch.message_count"] = count
    elif message_id:
        attributes["messaging.message.id"] = message_id
    return attributes


def _address(url: str) -> Attributes:
    return {"url.scheme": _split(url).scheme, **server(url)}


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket of an IPv6 address is missing
        return SplitResult("", "", "", "", "")
