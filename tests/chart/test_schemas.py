"""Every values file renders objects that Kubernetes, oldest and newest, and its operators would take."""

from __future__ import annotations

import pytest

from chart.cases import CASES, SHIPPED
from chart.objects import identity, leaves
from chart.schemas import CUSTOM_KINDS, complaints
from harness.helm import CHART, CUSTOM_APIS, VERSIONS, helm, parse, render

KUBES = ("1.29", "1.37")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kube", KUBES)
def test_every_object_fits_its_schema_to_the_letter(case: str, kube: str) -> None:
    objects = render(*CASES[case], kube=f"{kube}.0")
    assert objects
    assert [sentence for one in objects for sentence in complaints(one, kube)] == []


@pytest.mark.parametrize("case", CASES)
def test_helm_4_and_helm_3_render_the_same_objects(case: str) -> None:
    newer, older = ({identity(one): one for one in render(*CASES[case], version=version)} for version in VERSIONS)
    assert newer == older


@pytest.mark.parametrize("case", SHIPPED)
def test_what_people_begin_with_needs_nothing_more(case: str) -> None:
    assert render(*SHIPPED[case])
    assert set(CHART.glob("values-*.yaml")) == {path for files in SHIPPED.values() for path in files}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", [*SHIPPED, "minimal", "everything"])
def test_lint_finds_nothing(case: str, version: int) -> None:
    files = [option for path in CASES[case] for option in ("--values", path)]
    ended = helm("lint", "--strict", "--quiet", "--kube-version", "1.29.0", *files, CHART, version=version)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("case", CASES)
def test_no_object_is_rendered_twice_and_none_lacks_a_value(case: str) -> None:
    objects = render(*CASES[case])
    assert len({identity(one) for one in objects}) == len(objects)
    assert [(identity(one), path) for one in objects for path, value in leaves(one) if value is None] == []


def test_every_kind_of_others_has_a_schema_and_is_rendered() -> None:
    rendered = {one["kind"] for files in CASES.values() for one in render(*files) if _is_custom(one["apiVersion"])}
    assert rendered == CUSTOM_KINDS


@pytest.mark.parametrize(
    ("flaw", "part"),
    [
        pytest.param({"spec": {"replica": 2}}, "'replica' was unexpected", id="an unknown key"),
        pytest.param({"spec": {"replicas": "2"}}, "'2' is not of type", id="a text for a number"),
        pytest.param({"kind": "Deploymint"}, "has no apps/v1 Deploymint", id="an unknown kind"),
        pytest.param({"apiVersion": "apps/v1beta1"}, "has no apps/v1beta1 Deployment", id="an old version"),
    ],
)
def test_a_flaw_is_told(flaw: dict[str, object], part: str) -> None:
    sound = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: one}}"
    assert list(complaints(parse(sound)[0], "1.29")) == []
    assert part in "\n".join(complaints(parse(sound)[0] | flaw, "1.29"))


def test_a_flaw_in_a_kind_of_others_is_told() -> None:
    scaled = parse(
        "{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: one}, spec: {maxReplicas: 2,"
        " scaleTargetRef: {name: one}, triggers: [{type: nats-jetstream, metadata: {stream: S}}]}}"
    )[0]
    told = "\n".join(complaints(scaled, "1.29"))
    assert "maxReplicas" in told
    assert "'natsServerMonitoringEndpoint' is a required property" in told


def _is_custom(api_version: str) -> bool:
    return api_version in CUSTOM_APIS
