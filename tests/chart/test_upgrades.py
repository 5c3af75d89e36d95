"""What Kubernetes lets nobody change stays the same between releases of the chart, and images are those named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import identity, of_kind, workloads
from harness.helm import CHART, Manifest, parse, render

# Written once, for the first release. A change here is one that helm upgrade cannot make: it needs a major version
# of the chart, and a page that tells how to move.
GOLDEN = Path(__file__).with_name("immutable.json")
FROZEN = ("minimal", "cluster")


@pytest.mark.parametrize("case", FROZEN)
def test_fields_that_cannot_change_are_those_of_the_first_release(case: str) -> None:
    assert _immutable(render(*CASES[case])) == json.loads(GOLDEN.read_text())[case]


def test_one_server_cannot_become_three_by_an_upgrade() -> None:
    one, three = (_immutable(render(*CASES[case]))["StatefulSet r-parley-nats"] for case in FROZEN)
    assert one["volumeClaimTemplates"] != three["volumeClaimTemplates"]


def test_three_servers_may_have_other_resources_and_the_same_volumes() -> None:
    changed = {"nats": {"embedded": {"resources": {"requests": {"cpu": "3"}}, "image": {"tag": "2.16.0"}}}}
    assert _immutable(render(*CASES["cluster"], changed)) == _immutable(render(*CASES["cluster"]))


def test_a_job_has_another_name_whenever_it_would_be_another() -> None:
    def jobs(*values: Any) -> dict[str, Manifest]:
        found = of_kind(render(*CASES["postgres"], *values), "Job")
        return {one["metadata"]["name"]: one["spec"] for one in found}

    before = jobs()
    assert len(before) == 2
    for changed in ({"image": {"tag": "9.9.9"}}, {"logFormat": "text"}, {"image": {"pullPolicy": "Always"}},
                    {"extraEnv": [{"name": "A", "value": "1"}]}, {"podLabels": {"team": "sms"}}):  # fmt: skip
        after = jobs(changed)
        assert [name for name in before if name in after and before[name] != after[name]] == [], changed


def test_a_claim_outlives_the_release() -> None:
    claims = of_kind(render(*CASES["minimal"], {"backup": {"enabled": True}}), "PersistentVolumeClaim")
    assert len(claims) == 2
    for one in claims:
        assert one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", identity(one)


def test_the_images_are_those_that_the_chart_s_page_lists() -> None:
    listed: Any = parse(_chart()["annotations"]["artifacthub.io/images"])[0]
    rendered = {
        container["image"]
        for case in ("everything", "demo", "monitoring")
        for each in workloads(render(*CASES[case]))
        for container in each.containers
    }
    assert rendered == {one["image"] for one in listed}


@pytest.mark.parametrize("case", CASES)
def test_no_image_is_the_latest_and_a_registry_of_one_s_own_is_in_all(case: str) -> None:
    for each in workloads(render(*CASES[case], {"global": {"imageRegistry": "registry.example.com"}})):
        for container in each.containers:
            assert container["image"].startswith("registry.example.com/"), container["image"]
            assert container["image"].rpartition(":")[2] not in ("", "latest")


def test_a_digest_comes_before_a_tag() -> None:
    digest = "sha256:" + "ab" * 32
    (agent,) = (
        each for each in workloads(render(*CASES["minimal"], {"image": {"digests": {"agent": digest}}}))
        if each.component == "agent"
    )  # fmt: skip
    assert agent.containers[0]["image"] == f"ghcr.io/parley/parley-agent@{digest}"


@pytest.mark.parametrize("case", CASES)
def test_every_pod_fits_the_restricted_standard(case: str) -> None:
    for each in workloads(render(*CASES[case])):
        pod = each.spec["securityContext"]
        assert pod["runAsNonRoot"] is True
        assert pod["runAsUser"] >= 10000
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert each.spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & each.spec.keys()
        for volume in each.spec.get("volumes", []):
            assert volume.keys() - {"name"} <= {
                "emptyDir", "configMap", "secret", "projected", "persistentVolumeClaim", "downwardAPI",
            }  # fmt: skip
        for container in each.containers:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, container["name"]
            assert "memory" in container["resources"]["limits"]


def _chart() -> Manifest:
    return parse((CHART / "Chart.yaml").read_text())[0]


def _immutable(objects: list[Manifest]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in of_kind(objects, "Deployment", "StatefulSet"):
        spec = one["spec"]
        kept = {"selector": spec["selector"]}
        if one["kind"] == "StatefulSet":
            kept |= {
                name: spec.get(name) for name in ("serviceName", "podManagementPolicy", "volumeClaimTemplates")
            }
        found[" ".join(identity(one))] = kept
    return found
