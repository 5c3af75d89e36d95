"""What the values say arrives at the services letter for letter, whatever Helm makes of numbers and quotes."""

from __future__ import annotations

import pytest

from chart.cases import CASES
from chart.objects import environment, leaves, of_kind, workload, workloads
from harness.helm import VERSIONS, render

TEXTS = (
    'Back "soon", we\'re on the phone: 1,000 times 😀\nYours',
    "# no comment",
    "{{ .Release.Name }} and $HOME and $(POD_NAME)",
    "- a list? yes: no",
    "007",
    "1e6",
    "null",
    "äöü \\n \\u0041 %s %d",
)
BIG = 123_456_789_012


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_arrives_letter_for_letter(text: str, version: int) -> None:
    objects = render(*CASES["minimal"], {"channel": {"offlineText": text, "helpText": text}}, version=version)
    for name in ("ingress", "agent", "egress", "status"):
        told = environment(objects, workload(objects, name).containers[0])
        assert told["PARLEY_OFFLINE_TEXT"] == told["PARLEY_HELP_TEXT"] == text


@pytest.mark.parametrize("version", VERSIONS)
def test_a_large_number_keeps_its_digits(version: int) -> None:
    large = {
        "channel": {"dailySegments": BIG},
        "streams": {"maxBytes": 21_474_836_480, "mediaMaxBytes": 10_000_000_000, "maxAgeSeconds": 31_536_000},
        "ingress": {"settings": {"mostPendingWebhooks": 1_000_000}},
        "nats": {"embedded": {"storage": {"size": "300Gi"}}},
    }
    objects = render(*CASES["minimal"], large, version=version)
    told = environment(objects, workload(objects, "ingress").containers[0])
    assert told["PARLEY_DAILY_SEGMENTS"] == str(BIG)
    assert told["PARLEY_STREAM_MAX_BYTES"] == "21474836480"
    assert told["PARLEY_MEDIA_MAX_BYTES"] == "10000000000"
    assert told["PARLEY_STREAM_MAX_AGE_S"] == "31536000"
    assert told["PARLEY_MOST_PENDING_WEBHOOKS"] == "1000000"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.5, "1.5"), (0.25, "0.25"), (2, "2"), (2.0, "2"), (100, "100"), (1.125, "1.125"), (0, "0")],
    ids=str,
)
def test_a_fraction_keeps_its_digits(value: float, expected: str, version: int) -> None:
    objects = render(*CASES["minimal"], {"agent": {"settings": {"gatherSeconds": value}}}, version=version)
    assert environment(objects, workload(objects, "agent").containers[0])["PARLEY_GATHER_S"] == expected


@pytest.mark.parametrize("case", CASES)
def test_every_variable_and_every_label_is_a_text(case: str) -> None:
    objects = render(*CASES[case])
    for one in of_kind(objects, "ConfigMap"):
        assert all(isinstance(value, str) for value in one.get("data", {}).values()), one["metadata"]["name"]
    for each in workloads(objects):
        for container in each.containers:
            assert all(isinstance(one.get("value", ""), str) for one in container.get("env", []))
        tags = {**each.template["metadata"].get("annotations", {}), **each.labels}
        assert all(isinstance(value, str) for value in tags.values())


@pytest.mark.parametrize("case", CASES)
def test_no_number_is_written_with_an_exponent(case: str) -> None:
    for one in render(*CASES[case]):
        if "dashboard" not in one["metadata"]["name"]:
            assert [path for path, value in leaves(one) if isinstance(value, float)] == []


def test_lists_are_joined_and_flags_are_words() -> None:
    channel = {
        "phoneNumbers": ["+15550100100", "whatsapp:+15550100101"],
        "allowedUsers": ["+15550100200", "+15550100201"],
        "allowedCountries": ["US", "DE"],
        "allowAllUsers": True,
        "peopleMayStart": False,
    }
    objects = render(*CASES["minimal"], {"channel": channel})
    told = environment(objects, workload(objects, "egress").containers[0])
    assert told["TWILIO_PHONE_NUMBER"] == "+15550100100,whatsapp:+15550100101"
    assert told["SMS_ALLOWED_USERS"] == "+15550100200,+15550100201"
    assert told["SMS_ALLOWED_COUNTRIES"] == "US,DE"
    assert told["SMS_ALLOW_ALL_USERS"] == "true"
    assert told["PARLEY_PEOPLE_MAY_START"] == "false"


def test_an_extra_variable_comes_last_and_replaces_the_chart_s() -> None:
    extra = {
        "extraEnv": [{"name": "PARLEY_LOG_FORMAT", "value": "text"}, {"name": "A", "value": "for all"}],
        "agent": {"deployment": {"extraEnv": [{"name": "A", "value": "1,2 = 3"}]}},
    }
    objects = render(*CASES["minimal"], extra)
    container = workload(objects, "agent").containers[0]
    names = [one["name"] for one in container["env"]]
    assert len(names) == len(set(names))
    told = environment(objects, container)
    assert (told["PARLEY_LOG_FORMAT"], told["A"]) == ("text", "1,2 = 3")
    assert environment(objects, workload(objects, "egress").containers[0])["A"] == "for all"


def test_the_agent_s_files_arrive_in_their_folders() -> None:
    files = {"agent.toml": 'greeting = "{{ name }}"\n', "knowledge/hours.md": "# Öffnungszeiten\n8–18 Uhr\n"}
    objects = render(*CASES["minimal"], {"agent": {"files": files}})
    pod = workload(objects, "agent")
    (volume,) = (one["configMap"] for one in pod.spec["volumes"] if one["name"] == "agent")
    (config,) = (one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"] == volume["name"])
    assert {one["path"]: config["data"][one["key"]] for one in volume["items"]} == files
    (mount,) = (one for one in pod.containers[0]["volumeMounts"] if one["name"] == "agent")
    assert environment(objects, pod.containers[0])["PARLEY_AGENT_FILE"] == f"{mount['mountPath']}/agent.toml"


@pytest.mark.parametrize(
    ("changed", "restarted"),
    [
        ({"channel": {"helpText": "other"}}, {"ingress", "agent", "egress", "status"}),
        ({"egress": {"settings": {"mostParts": 3}}}, {"egress"}),
        ({"agent": {"files": {"agent.toml": "greeting = 'other'"}}}, {"agent"}),
        ({"secrets": {"apiKey": "o" * 40}}, {"ingress", "agent", "egress", "status", "cli"}),
    ],
    ids=["a setting of all", "a setting of one", "the agent's file", "a secret of the chart's"],
)
def test_pods_are_made_anew_when_what_they_read_changes(changed: dict[str, object], restarted: set[str]) -> None:
    before, after = (render(*CASES["minimal"], values) for values in ({}, changed))
    pods = [
        {one.component: one.template for one in workloads(each) if one.kind == "Deployment"}
        for each in (before, after)
    ]
    assert {name for name in pods[0] if pods[0][name] != pods[1][name]} == restarted
