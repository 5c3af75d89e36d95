"""What stands between a render and processes: environments, addresses and files as a cluster would make them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from chart.local.addresses import Addresses, rewrite_listeners, rewrite_paths
from chart.local.environment import CannotStart, compose, environment_of
from chart.local.manifests import Objects, container_port, hooks_of, selects
from chart.local.pods import image_command
from chart.local.volumes import make_volumes, places_of


def manifest(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name}, **more}


OBJECTS = Objects(
    (
        manifest("ConfigMap", "settings", data={"A": "1", "B": "from the map"}),
        manifest(
            "Secret", "keys", data={"token": base64.b64encode(b"s3cret").decode()}, stringData={"plain": "p"}
        ),
    )
)


def variables(env: list[dict[str, Any]] = [], env_from: list[dict[str, Any]] = []) -> dict[str, str]:  # noqa: B006
    return environment_of({"env": env, "envFrom": env_from}, OBJECTS, {"metadata.name": "pod-0"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(A)", "1-1"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$$(A)", "$(A)"),
        ("nats://route:$(A)@host", "nats://route:1@host"),
        ("$A ${A} $", "$A ${A} $"),
    ],
)
def test_names_in_values_are_replaced_as_kubernetes_does(text: str, expected: str) -> None:
    assert compose(text, {"A": "1"}) == expected


def test_a_variable_of_its_own_counts_before_those_of_maps() -> None:
    found = variables([{"name": "B", "value": "own"}, {"name": "C", "value": "$(B) $(A)"}], [_map("settings")])
    assert found == {"A": "1", "B": "own", "C": "own 1"}


def test_a_value_knows_only_what_stands_before_it() -> None:
    assert variables([{"name": "X", "value": "$(Y)"}, {"name": "Y", "value": "y"}])["X"] == "$(Y)"


def test_secrets_and_fields_are_looked_up() -> None:
    secret = {"secretKeyRef": {"name": "keys", "key": "token"}}
    field = {"fieldRef": {"fieldPath": "metadata.name"}}
    found = variables([{"name": "S", "valueFrom": secret}, {"name": "F", "valueFrom": field}])
    assert found == {"S": "s3cret", "F": "pod-0"}


def test_what_is_not_there_keeps_a_container_from_starting_unless_it_is_optional() -> None:
    missing = {"secretKeyRef": {"name": "keys", "key": "none"}}
    with pytest.raises(CannotStart, match="there is no none in Secret keys"):
        variables([{"name": "S", "valueFrom": missing}])
    with pytest.raises(CannotStart, match="there is no ConfigMap absent"):
        variables(env_from=[_map("absent")])
    missing["secretKeyRef"]["optional"] = True  # type: ignore[assignment] # as in a manifest
    assert variables([{"name": "S", "valueFrom": missing}]) == {}


def test_a_number_as_a_value_is_refused_as_the_cluster_would() -> None:
    with pytest.raises(AssertionError, match="Kubernetes takes texts only"):
        variables([{"name": "N", "value": 5}])


def test_every_spelling_of_a_service_is_rewritten_with_its_port() -> None:
    addresses = Addresses("shop")
    addresses.add("r-nats", 4222, 30001)
    addresses.add("r-nats-0.r-nats-headless", 6222, 30002)
    for host in ("r-nats", "r-nats.shop", "r-nats.shop.svc", "r-nats.shop.svc.cluster.local"):
        assert addresses.rewrite(f"nats://{host}:4222") == "nats://127.0.0.1:30001"
    routes = "nats://route:p@r-nats-0.r-nats-headless.shop.svc:6222"
    assert addresses.rewrite(routes) == "nats://route:p@127.0.0.1:30002"
    assert addresses.rewrite("a=http://r-nats:4222/x,nats://r-nats:4222") == (
        "a=http://127.0.0.1:30001/x,nats://127.0.0.1:30001"
    )


@pytest.mark.parametrize(
    "text", ["http://r-nats:80", "http://r-nats.other:4222", "name: r-nats", "my-r-nats:4222"]
)
def test_what_leads_nowhere_is_left_and_seen(text: str) -> None:
    addresses = Addresses("shop")
    addresses.add("r-nats", 4222, 30001)
    assert addresses.rewrite(text) == text
    assert addresses.unknown(text) == (["r-nats"] if text in ("http://r-nats:80", "name: r-nats") else [])


def test_paths_of_mounts_are_replaced_whole() -> None:
    places = {"/data": "/x", "/data/nats": "/y"}
    assert rewrite_paths('store: "/data"; /data/a /data/nats/b /database /my/data', places) == (
        'store: "/x"; /x/a /y/b /database /my/data'
    )


def test_a_broker_listens_on_this_machine_only() -> None:
    config = "port: 4222\nhttp_port: 8222\ncluster {\n  port: 6222\n}\nother_port: 1\n"
    assert rewrite_listeners(config, {4222: 1, 8222: 2, 6222: 3}) == (
        'listen: "127.0.0.1:1"\nhttp: "127.0.0.1:2"\ncluster {\n  listen: "127.0.0.1:3"\n}\nother_port: 1\n'
    )


def test_volumes_hold_what_their_sources_say(tmp_path: Path) -> None:
    spec = {
        "volumes": [
            {"name": "all", "configMap": {"name": "settings"}},
            {"name": "one", "secret": {"secretName": "keys", "items": [{"key": "token", "path": "in/file"}]}},
            {"name": "both", "projected": {"sources": [{"secret": {"name": "keys"}}]}},
            {"name": "disk", "persistentVolumeClaim": {"claimName": "claim"}},
            {"name": "tmp", "emptyDir": {}},
        ]
    }
    made = make_volumes(spec, OBJECTS, tmp_path / "pod", tmp_path / "disks", {})
    assert (made["all"] / "B").read_text() == "from the map"
    assert (made["one"] / "in/file").read_text() == "s3cret"
    assert sorted(path.name for path in made["both"].iterdir()) == ["plain", "token"]
    assert made["disk"] == tmp_path / "disks" / "claim"
    mounts = [
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "all", "mountPath": "/etc/a"},
        {"name": "all", "mountPath": "/etc/b", "subPath": "B"},
    ]
    places = places_of({"name": "c", "volumeMounts": mounts}, made)
    assert places == {"/etc/a": str(made["all"]), "/etc/b": str(made["all"] / "B")}


def test_a_mount_without_its_volume_keeps_a_container_from_starting() -> None:
    with pytest.raises(CannotStart, match="mounts none, and the pod has no such volume"):
        places_of({"name": "c", "volumeMounts": [{"name": "none", "mountPath": "/x"}]}, {})


def test_a_service_selects_by_all_its_labels_and_never_without_any() -> None:
    service = {"spec": {"selector": {"a": "1", "b": "2"}}}
    assert selects(service, {"a": "1", "b": "2", "c": "3"})
    assert not selects(service, {"a": "1"})
    assert not selects({"spec": {}}, {"a": "1"})


def test_ports_are_found_by_their_names() -> None:
    spec = {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]}
    assert (container_port(spec, "http"), container_port(spec, 9)) == (8080, 9)


def test_an_image_of_ours_says_what_it_runs() -> None:
    expected = ["python", "-m", "parley_agent"]
    assert image_command("ghcr.io/parley/parley-agent:1.0") == expected
    assert image_command("registry:5000/x/parley-agent@sha256:00") == expected


def test_hooks_are_told_from_the_release() -> None:
    hook = {"kind": "Pod", "metadata": {"name": "t", "annotations": {"helm.sh/hook": "test"}}}
    assert hooks_of(hook) == {"test"}
    assert hooks_of(manifest("Pod", "p")) == set()


def _map(name: str) -> dict[str, Any]:
    return {"configMapRef": {"name": name}}
