"""One owner of each number of replicas, disruption budgets that never hold up a node, and time enough to end."""

from __future__ import annotations

from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import environment, identity, of_kind, workload, workloads
from harness.helm import VERSIONS, render
from parley_common import topology

SERVICES = ("ingress", "agent", "egress", "status")
SCALERS = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_replicas_are_rendered_exactly_where_nothing_scales(case: str, version: int) -> None:
    objects = render(*CASES[case], version=version)
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in of_kind(objects, *SCALERS)}
    deployments = of_kind(objects, "Deployment")
    assert scaled <= {one["metadata"]["name"] for one in deployments}
    assert {one["metadata"]["name"] for one in deployments if "replicas" not in one["spec"]} == scaled


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_scaled_by_two_and_every_scaler_names_a_sound_range(case: str) -> None:
    scalers = of_kind(render(*CASES[case]), *SCALERS)
    targets = [one["spec"]["scaleTargetRef"]["name"] for one in scalers]
    assert len(targets) == len(set(targets))
    for one in scalers:
        least, most = (one["spec"][name] for name in SCALERS[one["kind"]])
        assert 1 <= least <= most, identity(one)


@pytest.mark.parametrize("case", CASES)
def test_a_budget_is_there_exactly_where_two_or_more_are_and_lets_one_go(case: str) -> None:
    objects = render(*CASES[case])
    least = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"][SCALERS[one["kind"]][0]]
        for one in of_kind(objects, *SCALERS)
    }
    several = {
        one["metadata"]["name"]
        for one in of_kind(objects, "Deployment", "StatefulSet")
        if least.get(one["metadata"]["name"], one["spec"].get("replicas", 1)) > 1
    }
    budgets = {one["metadata"]["name"]: one["spec"] for one in of_kind(objects, "PodDisruptionBudget")}
    assert budgets.keys() == several
    for spec in budgets.values():
        assert spec["maxUnavailable"] == 1
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_a_budget_can_be_left_out() -> None:
    without = {name: {"podDisruptionBudget": {"enabled": False}} for name in ("ingress", "agent", "egress")}
    assert of_kind(render(*CASES["minimal"], without), "PodDisruptionBudget") == []


@pytest.mark.parametrize("component", ["agent", "egress"])
def test_keda_looks_at_every_consumer_whose_work_the_service_does(component: str) -> None:
    declared = {one.durable for one in topology.CONSUMERS if one.durable.split("-")[0] == component}
    scaler = next(
        one
        for one in of_kind(render(*CASES["keda"]), "ScaledObject")
        if one["metadata"]["name"].endswith(component)
    )
    lags = [one["metadata"] for one in scaler["spec"]["triggers"] if one["type"] == "nats-jetstream"]
    assert {one["consumer"] for one in lags} == declared
    assert {one["stream"] for one in lags} == {one.stream for one in topology.CONSUMERS if one.durable in declared}
    assert {one["natsServerMonitoringEndpoint"] for one in lags} == {"r-parley-nats-headless.parley.svc:8222"}


GRACES: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "long": {name: {"graceSeconds": 300} for name in SERVICES},
    "short": {
        "ingress": {"graceSeconds": 3, "drainSeconds": 0, "settings": {"ackBudgetSeconds": 1}},
        "agent": {"graceSeconds": 1},
        "egress": {"graceSeconds": 7, "settings": {"twilioTimeoutSeconds": 2}},
        "status": {"graceSeconds": 1, "drainSeconds": 0},
    },
    "a long drain": {"ingress": {"drainSeconds": 120}, "status": {"drainSeconds": 60}},
    "a fraction": {"ingress": {"settings": {"ackBudgetSeconds": 7.5}}},
}


@pytest.mark.parametrize("kube", ["1.29.0", "1.37.0"])
@pytest.mark.parametrize("case", GRACES)
@pytest.mark.parametrize("component", SERVICES)
def test_a_pod_has_time_for_its_drain_its_grace_and_its_last_spans(component: str, case: str, kube: str) -> None:
    objects = render(*CASES["minimal"], GRACES[case], kube=kube)
    pod = workload(objects, component)
    told = environment(objects, pod.containers[0])
    assert (
        pod.spec["terminationGracePeriodSeconds"] >= _drain(pod.containers[0]) + float(told["PARLEY_GRACE_S"]) + 10
    )


@pytest.mark.parametrize("case", GRACES)
def test_what_is_begun_ends_within_the_grace(case: str) -> None:
    objects = render(*CASES["minimal"], GRACES[case])
    told = {name: environment(objects, workload(objects, name).containers[0]) for name in SERVICES}
    assert float(told["egress"]["PARLEY_GRACE_S"]) > float(told["egress"]["PARLEY_TWILIO_TIMEOUT_S"])
    assert float(told["ingress"]["PARLEY_GRACE_S"]) > float(told["ingress"]["PARLEY_ACK_BUDGET_S"])


def test_only_what_others_call_waits_before_it_ends() -> None:
    objects = render(*CASES["minimal"])
    drains = {name: _drain(workload(objects, name).containers[0]) for name in SERVICES}
    assert drains == {"ingress": 5, "agent": 0, "egress": 0, "status": 5}


def test_nats_has_time_to_move_its_clients_away() -> None:
    objects = render(*CASES["cluster"], {"nats": {"embedded": {"terminationGracePeriodSeconds": 90}}})
    (config,) = (one for one in of_kind(objects, "ConfigMap") if one["metadata"]["name"] == "r-parley-nats")
    text = "\n".join(config["data"].values())
    grace, duration = (
        int(text.partition(f'{name}: "')[2].partition("s")[0])
        for name in ("lame_duck_grace_period", "lame_duck_duration")
    )
    (pod,) = (one for one in workloads(objects) if one.kind == "StatefulSet")
    assert duration >= 30
    assert pod.spec["terminationGracePeriodSeconds"] == 90 >= grace + duration + 10


@pytest.mark.parametrize("case", ["minimal", "demo"])
def test_what_may_not_be_there_twice_is_replaced_not_rolled(case: str) -> None:
    objects = render(*CASES[case])
    recreated = {one.component for one in workloads(objects) if _strategy(one.owner) == "Recreate"}
    assert recreated == ({"status"} if case == "minimal" else {"status", "simulator", "jaeger"})


def _strategy(owner: dict[str, Any]) -> str | None:
    return owner["spec"].get("strategy", {}).get("type")  # type: ignore[no-any-return]


def _drain(container: dict[str, Any]) -> int:
    hook = container.get("lifecycle", {}).get("preStop", {})
    if "sleep" in hook:
        return int(hook["sleep"]["seconds"])
    return int(hook["exec"]["command"][-1].partition("sleep(")[2].rstrip(")")) if hook else 0
