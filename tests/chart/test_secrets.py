"""A secret stands in a Secret and nowhere else."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import of_kind, texts
from harness.helm import Manifest, notes, render

SECRETS = {
    "authToken": "marker-one-auth-token",
    "authTokenNext": "marker-two-auth-token-next",
    "webhookSharedKeys": "WK1=marker-three-shared",
    "hashKey": "marker-four-hash-key-0123456789abcdef",
    "secretKey": "marker-five-secret-key-0123456789abcdef,marker-six-secret-key-0123456789abcdef",
    "apiKey": "marker-seven-api-key-0123456789abcdef",
}
DATABASE: dict[str, Any] = {
    "status": {"database": {"url": "postgresql://parley:marker-eight-password@postgres/parley"}}
}
MARKED: tuple[Any, ...] = (
    *CASES["everything"],
    {"secrets": SECRETS, "status": {"database": {"existingSecret": ""}}},
    DATABASE,
)


def test_secrets_stand_in_secrets_and_nowhere_else() -> None:
    objects = render(*MARKED)
    inside = "\n".join(text for one in of_kind(objects, "Secret") for text in _decoded(one))
    for value in (*SECRETS.values(), DATABASE["status"]["database"]["url"]):
        assert value in inside
    assert "marker-nats-agent" in inside
    for one in objects:
        if one["kind"] != "Secret":
            found = [text for text in texts(one) if _is_marked(text)]
            assert found == [], (one["kind"], one["metadata"]["name"])


def test_the_notes_hold_no_secret() -> None:
    assert not _is_marked(notes(*MARKED))


@pytest.mark.parametrize("case", ["existing-secrets", "production", "ha"])
def test_with_secrets_of_one_s_own_the_chart_renders_none_of_credentials(case: str) -> None:
    names = {one["metadata"]["name"] for one in of_kind(render(*CASES[case]), "Secret")}
    assert names <= {"r-parley-nats-users"}


def test_nobody_gets_a_secret_that_is_another_s() -> None:
    got: dict[str, set[str]] = {}
    for one in render(*MARKED):
        if one["kind"] == "Deployment":
            (container,) = one["spec"]["template"]["spec"]["containers"]
            names = {
                each["name"] for each in container.get("env", []) if "secretKeyRef" in each.get("valueFrom", {})
            }
            got[one["metadata"]["name"].removeprefix("r-parley-")] = names
    twilio = {"TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN_NEXT", "TWILIO_WEBHOOK_SHARED_KEYS"}
    broker = {"PARLEY_HASH_KEY", "NATS_PASSWORD"}
    assert got == {
        "ingress": twilio | broker | {"PARLEY_SECRET_KEY"},
        "agent": twilio | broker,
        "egress": twilio | broker | {"PARLEY_SECRET_KEY"},
        "status": twilio | broker | {"PARLEY_API_KEY", "PARLEY_DATABASE_URL"},
        "cli": broker,
        "jaeger": set(),
    }


def test_each_component_has_a_user_of_its_own_at_the_broker() -> None:
    keys = {}
    for one in render(*CASES["everything"]):
        if one["kind"] in ("Deployment", "Job"):
            (container,) = one["spec"]["template"]["spec"]["containers"]
            for each in container.get("env", []):
                if each["name"] == "NATS_PASSWORD":
                    keys[container["name"]] = each["valueFrom"]["secretKeyRef"]["key"]
    own = {name: name for name in ("ingress", "agent", "egress", "status", "declare")}
    assert keys == own | {"cli": "operator"}


def _is_marked(text: str) -> bool:
    if "marker-" in text:
        return True
    try:
        return b"marker-" in base64.b64decode(text, validate=True)
    except ValueError:
        return False


def _decoded(secret: Manifest) -> list[str]:
    return [
        *(base64.b64decode(value).decode() for value in secret.get("data", {}).values()),
        *secret.get("stringData", {}).values(),
    ]
