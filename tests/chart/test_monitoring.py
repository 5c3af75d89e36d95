"""What the chart gives Prometheus and Grafana, and Jaeger: off unless asked for, and right where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.cases import CASES
from chart.monitoring import DASHBOARDS, EVERYWHERE, RULES, alerts, promtool
from harness.helm import VERSIONS, Manifest, refusal, render

SERVICES = ["ingress", "agent", "egress", "status"]
EXPORTED = {"natsExporter": {"enabled": True}}


def _rendered(telemetry: dict[str, Any], **options: Any) -> list[Manifest]:
    return render(*CASES["minimal"], {"telemetry": telemetry}, **options)


def _only(objects: list[Manifest], kind: str, ending: str = "") -> Manifest:
    (found,) = (one for one in objects if one["kind"] == kind and one["metadata"]["name"].endswith(ending))
    return found


def _read(objects: list[Manifest], monitor: Manifest, kind: str, endpoints: str) -> list[tuple[str, str]]:
    """What an operator would make of a monitor: the components and ports it reads."""
    selector = monitor["spec"]["selector"]
    (expression,) = selector["matchExpressions"]
    found = []
    for one in objects:
        pods = one["spec"]["template"] if kind != "Service" and "template" in one.get("spec", {}) else one
        labels = pods["metadata"].get("labels", {})
        if (one["kind"] in kind.split()) and selector["matchLabels"].items() <= labels.items():
            component = labels["app.kubernetes.io/component"]
            containers = pods["spec"].get("containers", [pods["spec"]])
            ports = [port["name"] for container in containers for port in container.get("ports", [])]
            wanted = [endpoint["port"] for endpoint in monitor["spec"][endpoints]]
            if component in expression["values"]:
                found += [(component, port) for port in ports if port in wanted]
    return sorted(found)


def test_nothing_of_it_is_rendered_unless_it_is_asked_for() -> None:
    objects = render(*CASES["minimal"])
    assert not {one["kind"] for one in objects} & {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
    names = [one["metadata"]["name"] for one in objects]
    assert not [name for name in names if "jaeger" in name or "dashboard" in name or name.endswith("-metrics")]


@pytest.mark.parametrize(
    ("monitor", "kind", "read", "endpoints"),
    [
        ("podMonitor", "PodMonitor", "Deployment StatefulSet", "podMetricsEndpoints"),
        ("serviceMonitor", "ServiceMonitor", "Service", "endpoints"),
    ],
)
def test_each_service_is_read_once_and_nats_where_its_exporter_runs(
    monitor: str, kind: str, read: str, endpoints: str
) -> None:
    objects = _rendered({monitor: {"enabled": True}})
    found = _read(objects, _only(objects, kind), read, endpoints)
    assert found == sorted((service, "http") for service in SERVICES)

    objects = _rendered({monitor: {"enabled": True}, **EXPORTED})
    exported = _read(objects, _only(objects, kind), read, endpoints)
    assert exported == sorted([*found, ("nats", "metrics")])


def test_a_monitor_carries_the_labels_by_which_an_operator_finds_it() -> None:
    objects = _rendered({"podMonitor": {"enabled": True, "labels": {"release": "monitoring"}, "interval": "5s"}})
    monitor = _only(objects, "PodMonitor")
    assert monitor["metadata"]["labels"]["release"] == "monitoring"
    assert {each["interval"] for each in monitor["spec"]["podMetricsEndpoints"]} == {"5s"}


@pytest.mark.parametrize("kind", ["podMonitor", "serviceMonitor"])
def test_the_label_service_of_a_metric_is_not_pushed_aside(kind: str) -> None:
    monitor = next(one for one in _rendered({kind: {"enabled": True}}) if one["kind"].lower() == kind.lower())
    for endpoint in monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]:
        assert {"action": "labeldrop", "regex": "service"} in endpoint["relabelings"]


@pytest.mark.parametrize("version", VERSIONS)
def test_both_monitors_at_once_are_refused_since_all_would_be_counted_twice(version: int) -> None:
    both = {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}
    said = refusal(*CASES["minimal"], {"telemetry": both}, version=version)
    assert "counted twice" in said


@pytest.mark.parametrize("version", VERSIONS)
def test_the_rules_are_those_of_the_file_held_to_the_namespace(version: int, tmp_path: Path) -> None:
    objects = _rendered({"rules": {"enabled": True}}, namespace="sms", version=version)
    rules = _only(objects, "PrometheusRule")["spec"]
    expected = yaml.safe_load(RULES.read_text(encoding="utf-8").replace(EVERYWHERE, 'namespace="sms"'))
    assert rules == expected
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    promtool("check", "rules", tmp_path / "rules.yaml")


def test_the_runbook_is_where_the_operator_says() -> None:
    rules = {"enabled": True, "runbookUrl": "https://wiki.example.com/parley", "labels": {"release": "monitoring"}}
    rendered = _only(_rendered({"rules": rules}), "PrometheusRule")
    assert rendered["metadata"]["labels"]["release"] == "monitoring"
    found = [rule for group in rendered["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert [rule["annotations"]["runbook_url"] for rule in found] == [
        f"https://wiki.example.com/parley#{alert['alert'].lower()}" for alert in alerts()
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_dashboard_is_a_config_map_that_grafana_finds(version: int) -> None:
    wanted = {"enabled": True, "label": "dash", "labelValue": "yes", "folder": "Texts", "namespace": "grafana"}
    objects = _rendered({"dashboards": wanted}, version=version)
    found = {
        name: (one["metadata"], text)
        for one in objects
        if one["kind"] == "ConfigMap"
        for name, text in one["data"].items()
        if name.endswith(".json")
    }
    assert found.keys() == {f"parley-{path.name}" for path in DASHBOARDS}
    for path in DASHBOARDS:
        metadata, text = found[f"parley-{path.name}"]
        assert text == path.read_text(encoding="utf-8").strip()
        assert metadata["labels"]["dash"] == "yes"
        assert metadata["annotations"] == {"grafana_folder": "Texts"}
        assert metadata["namespace"] == "grafana"


@pytest.mark.parametrize("version", VERSIONS)
def test_jaeger_listens_where_its_ports_probes_and_the_services_say(version: int) -> None:
    objects = _rendered({"jaeger": {"enabled": True, "maxTraces": 777}}, version=version)
    config = yaml.safe_load(_only(objects, "ConfigMap", "-jaeger")["data"]["config.yaml"])
    (container,) = _only(objects, "Deployment", "-jaeger")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    listens = {
        "otlp": config["receivers"]["otlp"]["protocols"]["http"]["endpoint"],
        "ui": config["extensions"]["jaeger_query"]["http"]["endpoint"],
        "health": config["extensions"]["healthcheckv2"]["http"]["endpoint"],
    }
    assert listens == {name: f"0.0.0.0:{port}" for name, port in ports.items()}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/status", "port": "health"}
    assert config["extensions"]["jaeger_storage"]["backends"]["memory"] == {"memory": {"max_traces": 777}}
    offered = {port["name"]: port["port"] for port in _only(objects, "Service", "-jaeger")["spec"]["ports"]}
    assert offered == {name: ports[name] for name in ("otlp", "ui")}


def test_the_services_send_their_traces_to_jaeger_unless_told_otherwise() -> None:
    for elsewhere, expected in (("", "http://r-parley-jaeger:4318"), ("http://collector:4318",) * 2):
        objects = _rendered({"jaeger": {"enabled": True}, "otlpEndpoint": elsewhere})
        for service in SERVICES:
            settings = _only(objects, "ConfigMap", f"-{service}")["data"]
            assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == expected


def test_the_exporter_tells_jetstream_under_the_names_that_the_rules_know() -> None:
    containers = _only(_rendered(EXPORTED), "StatefulSet")["spec"]["template"]["spec"]["containers"]
    (exporter,) = (each for each in containers if each["name"] == "exporter")
    assert {"-jsz=all", "-varz"} <= set(exporter["args"])
    assert not [argument for argument in exporter["args"] if argument.startswith("-prefix")]
