"""Whatever a release is called, its names are short enough and its labels are texts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import identity, workloads
from harness.helm import Manifest, render

RELEASES = (
    *("n", "on", "true", "null", "123", "1e3", "0x1f", "parley", "my-parley-2", "r" * 53, "a-" * 26 + "z"),
    "parley" + "-x" * 23,
    "p.q",
)
COMMON = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
)
LABEL = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
NAME = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")  # as Services want it before Kubernetes 1.34

# A controller puts a hash or a number behind these, and the whole is a label or a name of at most 63.
LONGEST = {"StatefulSet": 52, "CronJob": 52, "Deployment": 52}


@pytest.mark.parametrize("release", RELEASES)
def test_names_fit_whatever_the_release_is_called(release: str) -> None:
    for one in _own(render(*CASES["everything"], release=release)):
        kind, name = identity(one)
        assert NAME.fullmatch(name), (kind, name)
        assert len(name) <= LONGEST.get(kind, 63), (kind, name)


@pytest.mark.parametrize("release", RELEASES)
def test_labels_are_texts_that_kubernetes_takes(release: str) -> None:
    objects = render(*CASES["everything"], release=release)
    found = [label for one in objects for label in _labels(one)]
    assert found
    for key, value in found:
        assert isinstance(value, str), (key, value)
        assert LABEL.fullmatch(value), (key, value)
    instances = {value for key, value in found if key == "app.kubernetes.io/instance"}
    assert instances == {release}


@pytest.mark.parametrize("override", [{"nameOverride": "sms"}, {"fullnameOverride": "a-fixed-name"}], ids=str)
def test_an_override_is_in_every_name(override: dict[str, str]) -> None:
    (wanted,) = override.values()
    for one in _own(render(*CASES["everything"], override)):
        assert wanted in one["metadata"]["name"], identity(one)


@pytest.mark.parametrize("case", CASES)
def test_every_object_and_pod_has_the_common_labels(case: str) -> None:
    objects = _own(render(*CASES[case]))
    for one in [*objects, *(each.template for each in workloads(objects))]:
        assert set(COMMON) <= one["metadata"].get("labels", {}).keys(), one["metadata"].get("name", "a pod")


@pytest.mark.parametrize("case", CASES)
def test_every_object_is_in_the_namespace_of_the_release(case: str) -> None:
    assert {one["metadata"].get("namespace") for one in _own(render(*CASES[case], namespace="sms"))} == {"sms"}


@pytest.mark.parametrize("case", CASES)
def test_every_selector_selects_pods_and_none_names_a_version(case: str) -> None:
    objects = render(*CASES[case])
    pods = [each.labels for each in workloads(objects)]
    for one in objects:
        for selector in _selectors(one):
            assert not {"app.kubernetes.io/version", "helm.sh/chart"} & selector.keys(), identity(one)
            if selector.get("app.kubernetes.io/name"):
                assert any(selector.items() <= labels.items() for labels in pods), (identity(one), selector)


@pytest.mark.parametrize("case", CASES)
def test_no_two_workloads_select_the_same_pods(case: str) -> None:
    made = [each for each in workloads(render(*CASES[case])) if "selector" in each.owner["spec"]]
    for each in made:
        selector = each.owner["spec"]["selector"]["matchLabels"]
        assert [other.name for other in made if selector.items() <= other.labels.items()] == [each.name]


@pytest.mark.parametrize("case", CASES)
def test_a_service_and_a_budget_select_the_pods_of_one_component_and_no_job(case: str) -> None:
    objects = render(*CASES[case])
    for one in objects:
        if one["kind"] not in ("Service", "PodDisruptionBudget"):
            continue
        (selector,) = _selectors(one)
        assert len({w.component for w in workloads(objects) if selector.items() <= w.labels.items()}) == 1
        assert not [w.kind for w in workloads(objects) if selector.items() <= w.labels.items() and "Job" in w.kind]


def _own(objects: list[Manifest]) -> list[Manifest]:
    return [one for one in objects if one["metadata"]["name"] != "of-ones-own"]


def _labels(node: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("labels", "matchLabels") and isinstance(value, dict):
                found += value.items()
            found += _labels(value)
    elif isinstance(node, list):
        found += [label for each in node for label in _labels(each)]
    return found


def _selectors(one: Manifest) -> list[dict[str, str]]:
    if one["kind"] == "Service":
        return [one["spec"]["selector"]]
    spec = one.get("spec", {})
    found = [spec[key].get("matchLabels", {}) for key in ("selector", "podSelector") if key in spec]
    if "template" in one.get("spec", {}):
        spread = one["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
        found += [each["labelSelector"]["matchLabels"] for each in spread]
    return found
