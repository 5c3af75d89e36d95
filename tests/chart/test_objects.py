"""What each values file renders: every kind and name, no more and no less."""

from __future__ import annotations

import re

import pytest

from chart.cases import CASES
from chart.objects import identity
from harness.helm import Manifest, render

_NUMBER = re.compile(r"(declare|migrate)-1-[0-9a-f]{6}$")


def _of(kinds: str, *components: str) -> set[str]:
    return {f"{kind} {component}" for kind in kinds.split() for component in components}


SERVICES = ("ingress", "agent", "egress", "status")
NATS = _of("StatefulSet ConfigMap NetworkPolicy Service", "nats") | {"Service nats-headless", "Secret nats-users"}
BASE = (
    _of("Deployment Service ConfigMap NetworkPolicy", *SERVICES)
    | _of("Deployment ConfigMap NetworkPolicy", "cli")
    | _of("Job ConfigMap NetworkPolicy", "declare")
    | _of("Pod ConfigMap NetworkPolicy", "test")
    | _of("PodDisruptionBudget", "ingress", "agent", "egress")
    | {"ServiceAccount", "Secret credentials", "PersistentVolumeClaim status"}
    | NATS
)
POSTGRES = _of("Job ConfigMap NetworkPolicy", "migrate")
SQLITE = {"PersistentVolumeClaim status"}
TWO_STATUS = {"PodDisruptionBudget status"}
CLUSTER = {"PodDisruptionBudget nats"}
BACKUP = _of("CronJob ConfigMap NetworkPolicy PersistentVolumeClaim", "backup") | {"ConfigMap scripts"}
JAEGER = _of("Deployment Service ConfigMap NetworkPolicy", "jaeger")
SIMULATOR = _of("Deployment Service ConfigMap NetworkPolicy", "simulator")
KEDA = _of("ScaledObject", "agent", "egress")
DASHBOARDS = {f"ConfigMap {name}-dashboard" for name in ("overview", "agent", "sending", "status")}
WATCHED = {"ServiceMonitor", "PrometheusRule", "Service nats-metrics"} | JAEGER
ON_ITS_OWN = {"Secret credentials"} | SQLITE
PRODUCTION = (BASE | POSTGRES | TWO_STATUS | BACKUP | {"HTTPRoute ingress"}) - ON_ITS_OWN

EXPECTED = {
    "demo": (BASE | SIMULATOR | JAEGER) - _of("PodDisruptionBudget", "ingress", "agent", "egress"),
    "production": PRODUCTION,
    "ha": PRODUCTION | CLUSTER | {"HorizontalPodAutoscaler ingress"},
    "minimal": BASE,
    "backup": BASE | BACKUP,
    "cluster": BASE | CLUSTER,
    "every-setting": BASE | BACKUP,
    "everything": (
        (BASE | POSTGRES | TWO_STATUS | CLUSTER | BACKUP | KEDA | WATCHED)
        | {"HorizontalPodAutoscaler ingress", "Ingress ingress", "HTTPRoute status", "ConfigMap of-ones-own"}
    )
    - SQLITE,
    "existing-secrets": (BASE | POSTGRES) - ON_ITS_OWN - {"Secret nats-users"},
    "hpa": (BASE | POSTGRES | TWO_STATUS | _of("HorizontalPodAutoscaler", *SERVICES)) - SQLITE,
    "httproute": BASE | _of("HTTPRoute", "ingress", "status"),
    "ingress": BASE | _of("Ingress", "ingress", "status"),
    "keda": BASE | KEDA,
    "keda-external": (BASE | KEDA) - NATS,
    "monitoring": BASE | WATCHED | DASHBOARDS,
    "nats-external": (BASE | BACKUP) - NATS,
    "nats-open": BASE - NATS,
    "no-policies": {one for one in BASE if not one.startswith("NetworkPolicy")},
    "podmonitor": BASE | {"PodMonitor"},
    "postgres": (BASE | POSTGRES | TWO_STATUS) - SQLITE,
    "postgres-url": (BASE | POSTGRES) - SQLITE,
}


@pytest.mark.parametrize("case", CASES)
def test_a_values_file_renders_these_objects_and_no_others(case: str) -> None:
    assert {_told(one) for one in render(*CASES[case])} == EXPECTED[case]


def test_a_release_that_is_called_parley_has_the_name_once() -> None:
    names = {name for _, name in map(identity, render(*CASES["minimal"], release="parley"))}
    assert {"parley", "parley-ingress", "parley-nats-headless"} <= names


def _told(one: Manifest) -> str:
    kind, name = identity(one)
    component = _NUMBER.sub(r"\1", name.removeprefix("r-parley")).removeprefix("-")
    return f"{kind} {component}".strip()
