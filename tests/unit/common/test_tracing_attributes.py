"""What spans say by OpenTelemetry's conventions, and what of an address they leave out."""

from __future__ import annotations

import pytest

from parley_common import topology, tracing_attributes

SECRETIVE = "https://user:sesame@sms.example.com:8443/bots/7?key=sesame&To=%2B15550160999#rc"


def test_of_an_address_only_scheme_host_and_port_are_told() -> None:
    assert tracing_attributes.http_client(SECRETIVE, method="POST") == {
        "http.request.method": "POST",
        "url.scheme": "https",
        "server.address": "sms.example.com",
        "server.port": 8443,
    }


@pytest.mark.parametrize(("url", "port"), [("https://sms.example.com", 443), ("http://[::1]/x", 80)])
def test_the_usual_port_is_told_as_well(url: str, port: int) -> None:
    assert tracing_attributes.server(url)["server.port"] == port


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://simulator:80a", {"url.scheme": "http", "server.address": "simulator"}),
        ("https://sms.example.com:99999", {"url.scheme": "https", "server.address": "sms.example.com"}),
        ("http://[::1", {"url.scheme": "", "server.address": ""}),
    ],
)
def test_an_address_that_cannot_be_ends_no_work(url: str, told: dict[str, str]) -> None:
    assert tracing_attributes.http_client(url, method="POST") == {"http.request.method": "POST", **told}


def test_a_message_is_named_by_its_stream_and_its_subject_without_the_conversation() -> None:
    template = topology.texts("{conversation}")
    told = tracing_attributes.processing(template, "agent", message_id="SM1")
    assert told == {
        "messaging.system": "nats",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "CONVERSATIONS",
        "messaging.destination.template": "conv.{conversation}.in",
        "messaging.consumer.group.name": "agent",
        "messaging.message.id": "SM1",
    }


def test_of_several_messages_the_number_is_told_and_no_id() -> None:
    told = tracing_attributes.processing(topology.texts("{conversation}"), "agent", message_id="SM1", count=3)
    assert told["messaging.batch.message_count"] == 3
    assert "messaging.message.id" not in told
