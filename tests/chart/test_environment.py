"""What the chart tells a container is what its program reads, the other way round, and the program takes it."""

from __future__ import annotations

import atexit
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from chart.cases import CASES
from chart.objects import Workload, environment, named, workloads
from chart.recording import SERVICES, Recorded, record
from harness.helm import Manifest, render
from integration.common.nats_servers import Key, creds

COMPONENTS = (*SERVICES, "declare", "migrate", "test", "cli", "backup", "simulator")

# Names of Parley; all others are of libraries, which have their own documentation.
OURS = re.compile(r"(PARLEY|TWILIO|SMS|NATS)_|(OPENAI|ANTHROPIC)_(API_KEY|BASE_URL)$")

# Read by libraries alone, some of them only while they send.
OF_OTHERS = {
    "POD_NAME": "is put into OTEL_RESOURCE_ATTRIBUTES by Kubernetes",
    "OTEL_TRACES_SAMPLER_ARG": "is read with the samplers that want it",
    "BACKUP_NAME": "is put into the command by Kubernetes",
}

# Read, and yet nothing that a release in Kubernetes is told by a value.
NO_VALUE = {
    "PARLEY_NATS_PORT": "where make run has its broker; the chart writes whole URLs",
}

# Read with the rest of what all share, by what ends by itself or serves nobody.
SERVES_NOBODY = ("declare", "cli", "backup")
OF_SERVERS = {"PARLEY_HOST", "PARLEY_GRACE_S"}

# Stand in the Secret that agent.brain.existingSecret names, whole, beside those that only an agent file knows.
BRAIN_KEYS = {
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "PARLEY_LLM_API_KEY",
    "PARLEY_WEBHOOK_SECRET",
    "PARLEY_WEBHOOK_SECRET_NEXT",
}

# What the Secrets hold that the chart only names.
HELD = {
    "TWILIO_AUTH_TOKEN": "a-token",
    "TWILIO_AUTH_TOKEN_NEXT": "another-token",
    "TWILIO_WEBHOOK_SHARED_KEYS": "WK1=" + "ab" * 16,
    "PARLEY_HASH_KEY": "k" * 64,
    "PARLEY_SECRET_KEY": "s" * 64,
    "PARLEY_API_KEY": "a" * 64,
    "PARLEY_DATABASE_URL": "postgresql://parley:secret@127.0.0.1/parley",
    "NATS_USER": "parley",
    "NATS_PASSWORD": "secret",
    "POD_NAME": "a-pod",
    "BACKUP_NAME": "a-pod",
}
AGENTS = Path(__file__).parent / "agents"
PEM = ("NATS_CA", "NATS_CERT", "NATS_KEY")


def _of_kind(kind: str) -> dict[str, object]:
    return {"nats": {"external": {"credentialsKind": kind}}}


_EVERY_SETTING = CASES["every-setting"]
ALL = CASES | {
    "a simulated Twilio": (
        *_EVERY_SETTING,
        {"simulator": {"enabled": True}, "channel": {"apiBaseUrl": "", "phoneNumbers": ["+15550100100"]}},
    ),
    "a local model": (
        *_EVERY_SETTING,
        {"agent": {"brain": {"model": "qwen", "modelFallback": "", "baseUrl": "http://models:11434/v1"}}},
    ),
    "a bot": (
        *_EVERY_SETTING,
        {"agent": {"brain": {"model": "", "modelFallback": "", "webhookUrl": "https://bot.example.com"}}},
    ),
    "a broker with creds": (*CASES["nats-external"], _of_kind("creds")),
    "a broker with an nkey": (*CASES["nats-external"], _of_kind("nkey")),
    "a broker with certificates": (
        *CASES["nats-external"],
        {
            "nats": {
                "external": {
                    "credentialsSecret": "",
                    "inboxPrefix": "_INBOX_parley",
                    "tls": {"clientCertificate": True},
                }
            }
        },
    ),
}
"""The cases, and what it takes for every name to be said."""


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_name_in_a_container_is_read_by_its_program(component: str) -> None:
    given: set[str] = set()
    read: set[str] = set()
    for case, told in _told(component).items():
        given |= told.keys()
        read |= _recorded(component)[case].read
    assert given, f"no case has a container of {component}"
    assert given - read - OF_OTHERS.keys() == set()


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_setting_that_a_program_reads_can_be_said_by_a_value(component: str) -> None:
    given = {name for told in _told(component).values() for name in told}
    read = {name for recorded in _recorded(component).values() for name in recorded.read if OURS.match(name)}
    held = BRAIN_KEYS if component == "agent" else OF_SERVERS if component in SERVES_NOBODY else set()
    assert read - given - NO_VALUE.keys() - held == set()


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_program_takes_what_it_is_told(component: str) -> None:
    refused = {case: one.refusal for case, one in _recorded(component).items() if one.refusal is not None}
    assert refused == {}


def test_a_program_that_is_told_too_little_says_so() -> None:
    told = dict(_told("egress")["minimal"])
    del told["PARLEY_HASH_KEY"]
    (recorded,) = record("egress", [told])
    assert "PARLEY_HASH_KEY is not set" in str(recorded.refusal)


@functools.cache
def _told(component: str) -> dict[str, dict[str, str]]:
    """By case: what the component's container is told, whole."""
    found = {}
    for case, files in ALL.items():
        objects = render(*files)
        for each in workloads(objects):
            if each.component == component:
                found[case] = _resolved(objects, each)
    return found


@functools.cache
def _recorded(component: str) -> Mapping[str, Recorded]:
    """By case: what was read."""
    told = _told(component)
    keys = dict.fromkeys(BRAIN_KEYS, "b" * 40) if component == "agent" else {}
    environments = [
        keys | {name: _file(name, value, each) for name, value in each.items() if name not in PEM}
        for each in told.values()
    ]
    different = {json.dumps(each, sort_keys=True): each for each in environments}
    recorded = dict(zip(different, record(component, list(different.values())), strict=True))
    return {
        case: recorded[json.dumps(each, sort_keys=True)] for case, each in zip(told, environments, strict=True)
    }


def _file(name: str, value: str, told: Mapping[str, str]) -> str:
    """A path of this machine where a value is one of the pod's."""
    if name == "PARLEY_AGENT_FILE":
        return str(AGENTS / ("bot.toml" if "PARLEY_WEBHOOK_URL" in told else "model.toml"))
    return (_credentials() | {"PARLEY_DATA_DIR": "/tmp"}).get(name, value)


@functools.cache
def _credentials() -> dict[str, str]:
    """Files as the operator's Secret holds them, of an account that nobody knows."""
    folder = Path(tempfile.mkdtemp(prefix="parley-credentials-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return {
        "NATS_CREDS": str(creds(folder / "creds", Key("account"))),
        "NATS_NKEY": str(Key("user").write(folder / "nkey")),
    }


def _resolved(objects: list[Manifest], each: Workload) -> dict[str, str]:
    (container,) = (one for one in each.containers if one["name"] == each.component)
    told = environment(objects, container)
    return {name: _secret(objects, container, name) if value is None else value for name, value in told.items()}


def _secret(objects: list[Manifest], container: Manifest, name: str) -> str:
    """What Kubernetes would put in: from a Secret of the chart, or one that it only names."""
    (source,) = (one["valueFrom"] for one in container["env"] if one["name"] == name)
    if (ref := source.get("secretKeyRef")) is not None:
        for one in objects:
            if one["kind"] == "Secret" and one["metadata"]["name"] == ref["name"]:
                named(objects, "Secret", ref["name"])
                assert ref["key"] in {**one.get("data", {}), **one.get("stringData", {})}, (name, ref)
    return HELD[name]
