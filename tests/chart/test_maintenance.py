"""A release that stands still, so that a backup can be restored into its broker, and the toolbox that does it."""

from __future__ import annotations

import pytest

from chart.cases import CASES
from chart.objects import named, of_kind, workload
from harness.helm import VERSIONS, render

STILL = {"maintenance": True}
SERVICES = ("ingress", "agent", "egress", "status")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", ["demo", "ha", "everything", "keda"])
def test_in_maintenance_no_service_runs_nothing_scales_and_no_job_begins(case: str, version: int) -> None:
    objects = render(*CASES[case], STILL, version=version)
    deployments = {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in of_kind(objects, "Deployment")
    }
    assert [deployments[name]["spec"]["replicas"] for name in SERVICES] == [0, 0, 0, 0]
    assert deployments["cli"]["spec"]["replicas"] == 1
    assert of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject", "Job") == []
    assert [one["spec"]["replicas"] for one in of_kind(objects, "StatefulSet")] in ([], [1], [3])


def test_the_toolbox_has_the_backups_beside_the_pod_that_takes_them() -> None:
    objects = render(*CASES["minimal"], {"backup": {"enabled": True}})
    toolbox = named(objects, "Deployment", "r-parley-cli")["spec"]
    assert toolbox["strategy"] == {"type": "Recreate"}, "its volume is at one node at a time"
    pod = toolbox["template"]["spec"]
    assert {"name": "backups", "persistentVolumeClaim": {"claimName": "r-parley-backup"}} in pod["volumes"]
    assert {"name": "backups", "mountPath": "/backups"} in pod["containers"][0]["volumeMounts"]
    (beside,) = workload(objects, "backup", "CronJob").template["spec"]["affinity"]["podAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert beside["topologyKey"] == "kubernetes.io/hostname"
    assert beside["labelSelector"]["matchLabels"].items() <= toolbox["template"]["metadata"]["labels"].items()


def test_without_a_toolbox_backups_go_to_any_node() -> None:
    objects = render(*CASES["minimal"], {"backup": {"enabled": True}, "cli": {"enabled": False}})
    assert "podAffinity" not in str(workload(objects, "backup", "CronJob").template["spec"].get("affinity"))


def test_a_job_may_stay_for_those_who_would_make_it_anew() -> None:
    (job,) = of_kind(render(*CASES["minimal"], {"streams": {"declare": {"ttlSecondsAfterFinished": None}}}), "Job")
    assert "ttlSecondsAfterFinished" not in job["spec"]


@pytest.mark.parametrize(("replicas", "domains"), [(3, 3), (5, 3)])
def test_servers_that_must_be_apart_want_three_nodes(replicas: int, domains: int) -> None:
    nats = {"nats": {"embedded": {"replicas": replicas, "topologySpread": "DoNotSchedule"}}}
    (spread, _zone) = named(render(*CASES["minimal"], nats), "StatefulSet", "r-parley-nats")["spec"]["template"][
        "spec"
    ]["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["minDomains"]) == ("kubernetes.io/hostname", domains)
