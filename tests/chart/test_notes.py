"""What helm install says at its end: the addresses that ingress serves, and a warning for each unsafe value."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import of_kind
from harness.helm import notes, render
from parley_common.webhook_urls import INBOUND_PATH, RETRY_FRAGMENT, STATUS_PATH, inbound_url

# Nothing to warn of: all that is unwise is said otherwise.
SAFE: dict[str, Any] = {
    "channel": {"allowAllUsers": True, "dailySegments": 1000, "allowedCountries": ["US"]},
    "secrets": {"existingSecret": "mine", "authToken": "", "hashKey": "", "secretKey": "", "apiKey": ""},
    "nats": {"embedded": {"replicas": 3, "existingSecret": "passwords", "tls": {"secret": "certificates"}}},
    "status": {"database": {"existingSecret": "postgres"}},
    "networkPolicy": {"statusEgress": [{"ports": [{"port": 5432}]}]},
    "backup": {"enabled": True},
}
DECIDED = {"channel.allowAllUsers is true", "passwords of NATS", "nats.embedded.tls.secret is empty"}
ALWAYS = {"keep a copy of PARLEY_HASH_KEY elsewhere"}

UNSAFE: dict[str, tuple[dict[str, Any], str]] = {
    "a simulated Twilio": ({"simulator": {"enabled": True}}, "simulator.enabled is true"),
    "nobody may text": ({"channel": {"allowAllUsers": False}}, "nobody is answered"),
    "anybody may text": ({}, "channel.allowAllUsers is true"),
    "no cap": ({"channel": {"dailySegments": 0}}, "channel.dailySegments is 0"),
    "no TLS": ({"publicUrl": "http://sms.example.com"}, "publicUrl is http://"),
    "one server": ({"nats": {"embedded": {"replicas": 1}}}, "nats.embedded.replicas is 1"),
    "acknowledged before it is on disk": (
        {"nats": {"embedded": {"syncInterval": "2m"}}},
        "nats.embedded.syncInterval is 2m",
    ),
    "passwords made by Helm": ({"nats": {"embedded": {"existingSecret": ""}}}, "passwords of NATS are made"),
    "an open NATS": (
        {"nats": {"embedded": {"enabled": False}, "external": {"url": "nats://x"}}},
        "nats.external.credentialsSecret is empty",
    ),
    "one copy": ({"streams": {"replicas": 1}}, "streams.replicas is 1 in a cluster"),
    "texts in the open": ({"nats": {"embedded": {"tls": {"secret": ""}}}}, "nats.embedded.tls.secret is empty"),
    "public metrics": ({"ingress": {"service": {"type": "LoadBalancer"}}}, "ingress.service.type is LoadBalancer"),
    "a public API": ({"status": {"service": {"type": "NodePort"}}}, "status.service.type is NodePort"),
    "nobody at work": ({"maintenance": True}, "maintenance is true"),
    "no declare step": ({"streams": {"declare": {"enabled": False}}}, "streams.declare.enabled is false"),
    "SQLite": ({"status": {"database": {"existingSecret": ""}}}, "status keeps SQLite on one volume"),
    "a database that goes": (
        {"status": {"database": {"existingSecret": "", "storage": {"retain": False}}}},
        "status.database.storage.retain is false",
    ),
    "no policies": ({"networkPolicy": {"enabled": False}}, "networkPolicy.enabled is false"),
    "PostgreSQL anywhere": ({"networkPolicy": {"statusEgress": []}}, "networkPolicy.statusEgress is empty"),
    "a collector anywhere": (
        {"telemetry": {"otlpEndpoint": "http://collector:4318"}},
        "networkPolicy.telemetryEgress is empty",
    ),
    "secrets in values": (
        {"secrets": {"existingSecret": "", "authToken": "t" * 32, "hashKey": "h" * 40, "secretKey": "s" * 40,
                     "apiKey": "a" * 40}},
        "the credentials came with the values",
    ),
    "no backup": ({"backup": {"enabled": False}}, "backup.enabled is false"),
    "no KEDA": ({"agent": {"keda": {"enabled": True}}}, "install KEDA"),
    "no Gateway API": ({"http": {"route": {"enabled": True, "parentRefs": [{"name": "x"}]}}}, "Gateway API"),
}  # fmt: skip


@pytest.mark.parametrize("path", ["", "/parley"])
def test_the_addresses_to_paste_are_those_that_ingress_serves(path: str) -> None:
    base = f"https://sms.example.com{path}"
    told = notes(*CASES["minimal"], {"publicUrl": f"{base}/"})
    assert set(re.findall(r"https://sms\.example\.com\S*#\S+", told)) == {
        inbound_url(base),
        f"{base}{STATUS_PATH}{RETRY_FRAGMENT}",
    }


@pytest.mark.parametrize("case", ["ingress", "httproute"])
def test_what_is_routed_is_what_twilio_is_told(case: str) -> None:
    objects = render(*CASES[case])
    (routed,) = (
        one for one in of_kind(objects, "Ingress", "HTTPRoute") if one["metadata"]["name"].endswith("ingress")
    )
    prefixes = set(re.findall(r"'(/[a-z/]+/)'", str(routed)))
    assert "sms.example.com" in str(routed)
    assert prefixes == {"/webhooks/twilio/", "/media/"}
    assert all(path.startswith("/webhooks/twilio/") for path in (INBOUND_PATH, STATUS_PATH))


def test_safe_values_warn_of_nothing_but_the_key_that_must_be_kept() -> None:
    told = _warnings(SAFE | {"channel": {"allowedUsers": ["+15550100200"]}})
    assert {sentence for sentence in told if not any(known in sentence for known in ALWAYS)} == set()
    assert len(told) == 1


@pytest.mark.parametrize("case", UNSAFE)
def test_each_unsafe_value_has_its_warning(case: str) -> None:
    values, sentence = UNSAFE[case]
    assert any(sentence in told for told in _warnings(SAFE, values))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("production", {*DECIDED, "nats.embedded.replicas is 1"}),
        ("ha", DECIDED),
    ],
)
def test_what_people_begin_with_warns_of_what_they_must_decide(case: str, expected: set[str]) -> None:
    told = set(re.findall(r"^WARNING: (.*)$", notes(*CASES[case]), re.MULTILINE))
    left = {one for one in told if not any(part in one for part in expected | ALWAYS)}
    assert {one for one in left if "this cluster does not know" not in one} == set()
    assert all(any(part in one for one in told) for part in expected)


def test_the_demo_s_notes_lead_to_the_phone() -> None:
    told = notes(*CASES["demo"])
    assert "port-forward deployment/r-parley-simulator 8082" in told
    assert "Twilio Console" not in told


def _warnings(*values: dict[str, Any]) -> set[str]:
    return set(re.findall(r"^WARNING: (.*)$", notes(*CASES["minimal"], *values), re.MULTILINE))
