"""Values that cannot work are refused, by Helm 4 and Helm 3, with a sentence that names the value and the fix."""

from __future__ import annotations

from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import nested
from harness.helm import VERSIONS, HelmError, refusal, render

MINIMAL = CASES["minimal"]

# By the schema: the value, what is wrong with it, and where the refusal must point.
SCHEMA: list[tuple[str, Any]] = [
    ("ingress.replicas", -1),
    ("ingress.replicas", "two"),
    ("ingress.port", 80),
    ("ingress.port", 70000),
    ("nats.embedded.image.pullPolicy", "Sometimes"),
    ("logFormat", "xml"),
    ("channel.accountSid", "AC123"),
    ("channel.messagingServiceSid", "AC" + "0" * 32),
    ("channel.phoneNumbers", "+15550100100"),
    ("channel.allowAllUsers", "maybe"),
    ("channel.dailySegments", -5),
    ("channel.senderMps", "fast"),
    ("secrets.authToken", 12345),
    ("secrets.existingSecret", "Not A Name"),
    ("nats.external.credentialsKind", "jwt"),
    ("nats.embedded.topologySpread", "Maybe"),
    ("image.digests", {"agent": "sha256:123"}),
    ("fullnameOverride", "Upper"),
    ("fullnameOverride", "1-begins-with-a-digit"),
    ("agent.keda.lagThreshold", 50),
    ("agent.keda.minReplicas", 0),
    ("agent.autoscaling.targetCPUUtilizationPercentage", 0),
    ("egress.settings.mostParts", 0),
    ("status.settings.askAfterSeconds", "12h"),
    ("status.database.storage.size", "much"),
    ("http.route.parentRefs", {"name": "public"}),
    ("networkPolicy.internet.ports", ["https"]),
    ("networkPolicy.extraIngress", {"nobody": []}),
    ("telemetry.sampler", "sometimes"),
    ("telemetry.serviceMonitor.interval", "often"),
    ("tests.timeoutSeconds", 0),
    ("extraEnv", [{"name": "A", "value": 1}]),
    ("extraEnv", [{"value": "nameless"}]),
    ("ingress.service.type", "ExternalName"),
    ("backup.schedule", ""),
    ("backup.keep", 0),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_value_of_the_wrong_form_is_refused_by_its_path(version: int) -> None:
    """One rendering names all of them; a path that stands twice is tried in a second one."""
    rounds: list[dict[str, Any]] = [{}, {}]
    for path, value in SCHEMA:
        rounds[path in rounds[0]][path] = value
    for values in rounds:
        told = refusal(
            *MINIMAL, *(nested(path.split("."), value) for path, value in values.items()), version=version
        )
        flat = told.replace("/", ".")
        assert [path for path in values if path not in flat] == []


def _embedded_off(**external: Any) -> dict[str, Any]:
    return {"nats": {"embedded": {"enabled": False}, "external": external}}


# By the chart's own rules: what is said, and parts of the sentence.
RULES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no address": ({"publicUrl": ""}, ("publicUrl is empty", "https://sms.example.com")),
    "an address with a query": ({"publicUrl": "https://x.example.com?a=1"}, ("publicUrl is", "no query")),
    "an address without a scheme": ({"publicUrl": "sms.example.com"}, ("publicUrl is", "https://")),
    "no account": ({"channel": {"accountSid": ""}}, ("channel.accountSid is empty", "Account SID")),
    "no number": ({"channel": {"phoneNumbers": []}}, ("channel.phoneNumbers is empty", "messagingServiceSid")),
    "a number that is no text": ({"channel": {"phoneNumbers": [15550100100]}}, ("lost its +", "quotes")),
    "no auth token": ({"secrets": {"authToken": ""}}, ("secrets.authToken is empty", "secrets.existingSecret")),
    "no hash key": ({"secrets": {"hashKey": ""}}, ("secrets.hashKey is empty", "openssl rand -hex 32")),
    "a short hash key": ({"secrets": {"hashKey": "k" * 31}}, ("secrets.hashKey is shorter than 32",)),
    "a short second secret key": (
        {"secrets": {"secretKey": f"{'n' * 40},{'o' * 8}"}},
        ("secrets.secretKey is shorter than 32",),
    ),
    "one key for both": (
        {"secrets": {"hashKey": "k" * 40, "secretKey": "k" * 40}},
        ("secrets.hashKey and secrets.secretKey are the same",),
    ),
    "secrets twice": ({"secrets": {"existingSecret": "mine"}}, ("secrets.existingSecret and secrets.authToken",)),
    "a database twice": (
        {"status": {"database": {"existingSecret": "mine", "url": "postgresql://host/db"}}},
        ("status.database.existingSecret and status.database.url",),
    ),
    "another database": ({"status": {"database": {"url": "mysql://host/db"}}}, ("not for PostgreSQL",)),
    "no broker": (_embedded_off(), ("there is no NATS", "nats.external.url")),
    "two brokers": ({"nats": {"external": {"url": "nats://x"}}}, ("nats.external.url and nats.embedded.enabled",)),
    "credentials in an address": (
        _embedded_off(url="nats://user:secret@host:4222"),
        ("nats.external.url holds credentials", "nats.external.credentialsSecret"),
    ),
    "two servers": ({"nats": {"embedded": {"replicas": 2}}}, ("replicas", "1, 3, 5")),
    "more copies than servers": ({"streams": {"replicas": 3}}, ("streams.replicas is 3", "1 NATS servers")),
    "streams larger than the volume": (
        {"nats": {"embedded": {"storage": {"size": "8Gi"}}}},
        ("streams.maxBytes", "nats.embedded.storage.size"),
    ),
    "too little memory for the leases": (
        {"nats": {"embedded": {"maxMemoryStore": "64Mi"}}},
        ("nats.embedded.maxMemoryStore", "256Mi"),
    ),
    "a bare sync interval": ({"nats": {"embedded": {"syncInterval": "120"}}}, ("syncInterval", "10s")),
    "a NATS that has no time to end": (
        {"nats": {"embedded": {"terminationGracePeriodSeconds": 30}}},
        ("terminationGracePeriodSeconds is 30", "60"),
    ),
    "an unknown user": ({"nats": {"embedded": {"passwords": {"nobody": "p"}}}}, ("nobody",)),
    "a password with a quote": ({"nats": {"embedded": {"passwords": {"agent": "p'q"}}}}, ("password of agent",)),
    "two scalers": (
        {"agent": {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}},
        ("agent.autoscaling and agent.keda are both enabled",),
    ),
    "a range that is none": (
        {"agent": {"keda": {"enabled": True, "minReplicas": 9}}},
        ("agent has more minReplicas than maxReplicas",),
    ),
    "a fallback above all": (
        {"agent": {"keda": {"enabled": True, "fallback": {"replicas": 9}}}},
        ("agent.keda.fallback.replicas is more",),
    ),
    "nothing to scale by": (
        _embedded_off(url="nats://x:4222") | {"agent": {"keda": {"enabled": True}}},
        ("agent.keda has nothing to scale by", "nats.external.monitor.endpoint"),
    ),
    "two of status with SQLite": ({"status": {"replicas": 2}}, ("status can have one replica with SQLite",)),
    "status scaled with SQLite": (
        {"status": {"autoscaling": {"enabled": True}}},
        ("status can have one replica with SQLite", "status.database.existingSecret"),
    ),
    "a text sent twice": (
        {"egress": {"settings": {"settleSeconds": 15}}},
        ("settleSeconds is too short", "and 6"),
    ),
    "a POST that is cut off": ({"egress": {"graceSeconds": 12}}, ("egress.graceSeconds is too short",)),
    "a webhook that is cut off": ({"ingress": {"graceSeconds": 9}}, ("ingress.graceSeconds is too short",)),
    "a webhook that Twilio gives up": (
        {"ingress": {"settings": {"ackBudgetSeconds": 15}}},
        ("ackBudgetSeconds is 15 or more",),
    ),
    "media gone too soon": ({"streams": {"mediaMaxAgeSeconds": 3600}}, ("less than a day", "86400")),
    "two agents": (
        {"agent": {"existingConfigMap": "a", "existingClaim": "b"}},
        ("more than one of agent.files, agent.existingConfigMap",),
    ),
    "an agent file that is not there": (
        {"agent": {"files": {"other.toml": "x"}}},
        ("agent.file is", "other.toml"),
    ),
    "two ways in": (
        {"http": {"ingress": {"enabled": True}, "route": {"enabled": True, "parentRefs": [{"name": "x"}]}}},
        ("http.ingress and http.route are both enabled",),
    ),
    "a route to nowhere": ({"http": {"route": {"enabled": True}}}, ("http.route.parentRefs is empty",)),
    "a path that an Ingress cannot take off": (
        {"publicUrl": "https://x.example.com/parley", "http": {"ingress": {"enabled": True}}},
        ("publicUrl has the path /parley", "http.route"),
    ),
    "an inbox without a host": (
        {"http": {"inbox": {"ingress": {"enabled": True}}}},
        ("http.inbox.host is empty",),
    ),
    "an inbox on the public host": (
        {"http": {"inbox": {"host": "sms.example.com", "ingress": {"enabled": True}}}},
        ("http.inbox.host is the host of publicUrl",),
    ),
    "a simulator and an API": (
        {"simulator": {"enabled": True}, "channel": {"apiBaseUrl": "https://x.example.com"}},
        ("simulator.enabled and channel.apiBaseUrl are both set",),
    ),
    "numbers counted twice": (
        {"telemetry": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}},
        ("telemetry.podMonitor and telemetry.serviceMonitor are both enabled",),
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_what_cannot_work_is_refused_with_a_sentence(case: str) -> None:
    values, parts = RULES[case]
    told = refusal(*MINIMAL, values)
    assert [part for part in parts if part not in told] == [], told


def test_helm_3_says_the_same_and_says_all_at_once() -> None:
    several = {"publicUrl": "", "status": {"replicas": 2}, "http": {"route": {"enabled": True}}}
    for version in VERSIONS:
        told = refusal(*MINIMAL, several, version=version)
        for part in ("publicUrl is empty", "one replica with SQLite", "parentRefs is empty"):
            assert part in told


def test_no_refusal_repeats_a_secret() -> None:
    marker = "marker-of-a-secret"
    for values in (
        {"secrets": {"hashKey": marker}},
        {"secrets": {"secretKey": f"{marker},{marker}"}},
        {"status": {"database": {"url": f"mysql://u:{marker}@h/d"}}},
        {"nats": {"embedded": {"passwords": {"agent": f"{marker}'"}}}},
        _embedded_off(url=f"nats://user:{marker}@host"),
    ):
        assert marker not in refusal(*MINIMAL, values)


def test_an_old_kubernetes_is_refused() -> None:
    with pytest.raises(HelmError, match=r"1\.29"):
        render(*MINIMAL, kube="1.28.0")
