"""Another valid value for each value of the chart, and where it shows.

Most follow from the kind of the value, the rest stand in ``OTHERS``: the first pattern that fits the path counts.
"""

from __future__ import annotations

import re
from typing import Any

from chart.cases import CASES

_RULE = [{"to": [{"ipBlock": {"cidr": "10.99.0.0/16"}}], "ports": [{"port": 999}]}]
_PEER = {"kubernetes.io/metadata.name": "elsewhere"}
_DIGEST = "sha256:" + "0" * 64

OTHERS: dict[str, Any] = {
    r"publicUrl": "https://other.example.com",
    r"image\.digests": {"agent": _DIGEST},
    r".*\.image\.digest": _DIGEST,
    r".*pullPolicy": "Always",
    r"global\.imagePullSecrets": ["a-pull-secret"],
    r"channel\.accountSid": "AC" + "1" * 32,
    r"channel\.messagingServiceSid": "MG" + "1" * 32,
    r"channel\.(phoneNumbers|allowedUsers)": ["+15550100999"],
    r"channel\.allowedCountries": ["DE"],
    r"channel\.apiBaseUrl": "https://twilio.example.com",
    r"channel\.quietHours": "22:00-07:00 Europe/Berlin",
    r"secrets\.(hashKey|secretKey|apiKey)": "o" * 40,
    r"secrets\.webhookSharedKeys": "WK1=" + "ab" * 16,
    r"secrets\.keys\..*": "ANOTHER_KEY",
    r"nats\.external\.url": "nats://other:4222",
    r"nats\.external\.credentialsKind": "creds",
    r"nats\.external\.monitor\.endpoint": "nats.nats:8222",
    r"nats\.embedded\.replicas": 5,
    r"nats\.embedded\.syncInterval": "10s",
    r"nats\.embedded\.storage\.maxFileStore": "17Gi",
    r"nats\.embedded\.passwords": {"agent": "another-password"},
    r".*\.topologySpread": "DoNotSchedule",
    r"streams\.replicas": 2,
    r"streams\.mediaMaxAgeSeconds": 172800,
    r"logFormat": "text",
    r"listenAddress": "::",
    r"(.*\.)?service\.type": "LoadBalancer",
    r".*\.cpu": "123m",
    r".*\.(memory|size|maxMemoryStore)": "23Gi",
    r"ingress\.graceSeconds|.*\.terminationGracePeriodSeconds": 77,
    r"ingress\.settings\.ackBudgetSeconds": 9,
    r".*\.maxUnavailable": 2,
    r".*minReplicas": 1,
    r"status\.replicas": 3,
    r"http\.(inbox\.)?(ingress|route)\.enabled": False,
    r".*\.(lagThreshold|oldestSeconds)": "33",
    r".*\.serverAddress": "http://other.monitoring:9090",
    r".*keda\.fallback\.replicas": 1,
    r"agent\.files": {"agent.toml": "greeting = 'hello'"},
    r"agent\.brain\.(\w+Url|\w*[uU]rl)": "https://models.example.com/v1",
    r"status\.database\.url": "postgresql://parley@other/parley",
    r"backup\.schedule": "7 4 * * *",
    r"http\.inbox\.host": "other.example.com",
    r".*parentRefs": [{"name": "other"}],
    r"networkPolicy\.\w+\.(namespaceSelector|podSelector)": {"matchLabels": _PEER},
    r"networkPolicy\.\w+\.(namespaceSelector|podSelector)\.matchLabels\..*": "other",
    r"networkPolicy\.\w+\.cidrs": ["203.0.113.0/24"],
    r"networkPolicy\.dns\.ports": [5353],
    r"networkPolicy\.internet\.except": ["10.0.0.0/8"],
    r"networkPolicy\.internet\.ports": [8443],
    r"networkPolicy\.extraIngress": {"agent": [{"ports": [{"port": 999}]}]},
    r"networkPolicy\.extraEgress": {"agent": _RULE},
    r"networkPolicy\.\w+Egress": _RULE,
    r"telemetry\.otlpEndpoint": "http://other:4318",
    r"telemetry\.sampler": "parentbased_traceidratio",
    r"telemetry\.samplerArg": "0.25",
    r"telemetry\.\w+\.(interval|scrapeTimeout)": "13s",
    r"telemetry\.rules\.runbookUrl": "https://runbooks.example.com",
    r"tests\.contact": "+15550100998",
    r"extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}],
    r"(pod)?[sS]ecurityContext": {"runAsUser": 12345},
    r".*affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}]}},
    r".*tolerations": [{"key": "dedicated", "operator": "Exists"}],
    r".*topologySpreadConstraints": [{"maxSkew": 3, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
    r".*extraEnv": [{"name": "AN_EXTRA", "value": "1"}],
    r".*extraEnvFrom": [{"secretRef": {"name": "an-extra"}}],
    r".*extraVolumes": [{"name": "an-extra", "emptyDir": {}}],
    r".*extraVolumeMounts": [{"name": "an-extra", "mountPath": "/extra"}],
    r".*(extraContainers|initContainers)": [{"name": "an-extra", "image": "busybox:1"}],
    r".*([aA]nnotations|[lL]abels|nodeSelector|resourceAttributes)": {"example.com/other": "other"},
}  # fmt: skip

# Where a value shows: the first pattern that fits. Without one, where all is on that can be.
BASES: dict[str, str] = {
    r"nats\.external\.monitor\..*": "keda-external",
    r"nats\.external\..*|networkPolicy\.natsEgress": "nats-external",
    r"status\.replicas": "postgres",
    r"status\.database\.storage\..*|(ingress|agent|egress)\.replicas": "minimal",
    r"networkPolicy\.telemetryEgress": "every-setting",
    r"secrets\.existingSecret|secrets\.keys\..*|status\.database\.key|agent\.file": "existing-secrets",
    r"status\.database\.(url|existingSecret)|agent\.files|agent\.existing.*": "minimal",
    r"(backup|cli|simulator|telemetry\.\w+)\.enabled": "minimal",
    r"nats\.embedded\.storage\.maxFileStore|channel\.(apiBaseUrl|phoneNumbers)": "minimal",
    r"streams\.mediaMaxAgeSeconds": "minimal",
    r"telemetry\.podMonitor\..*": "podmonitor",
    r"telemetry\.(jaeger|serviceMonitor|rules|dashboards|natsExporter)\..*": "monitoring",
    r"http\.(inbox\.)?ingress\..*": "ingress",
    r"http\.(inbox\.)?route\..*|http\.inbox\.host": "httproute",
    r"simulator\..*": "demo",
}


def other(path: str, value: Any) -> Any:
    """Another valid value."""
    for pattern, found in OTHERS.items():
        if re.fullmatch(pattern, path):
            return found
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}-other" if value else "other"
    raise LookupError(f"{path} has no other value than {value!r} yet: add one to OTHERS")


def base(path: str) -> str:
    """The case in which a value shows."""
    return next((case for pattern, case in BASES.items() if re.fullmatch(pattern, path)), "everything")


assert set(BASES.values()) <= CASES.keys()
