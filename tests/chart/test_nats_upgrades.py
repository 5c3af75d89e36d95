"""What an upgrade of the embedded NATS keeps and refuses, asked of Helm with a cluster that only answers."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chart.fake_cluster import cluster_with
from chart.nats_checks import secret
from chart.nats_release import MINIMAL, NAME, NAMESPACE, SMALL, embedded, find, nats_objects
from harness.helm import CHART, Manifest, binary, parse

_LOOKING = ("--dry-run=server", "--disable-openapi-validation")
USERS = ("ingress", "agent", "egress", "status", "operator", "declare", "sys", "route")


def upgrade(there: list[Manifest], directory: Path, values: Any, version: int = 4) -> tuple[int, str, str]:
    """``helm template`` with a cluster to look into."""
    own = directory / "values.json"
    own.write_text(json.dumps(values))
    small = directory / "small.json"
    small.write_text(json.dumps(SMALL))
    files = [option for path in (MINIMAL, small, own) for option in ("--values", str(path))]
    with cluster_with([_installed(one) for one in there], directory) as kubeconfig:
        ended = subprocess.run(
            [
                binary(version),
                "template",
                "r",
                CHART,
                "--namespace",
                NAMESPACE,
                *_LOOKING,
                *files,
            ],
            env={"PATH": os.defpath, "HOME": str(directory), "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("version", [4, 3])
@pytest.mark.parametrize(("before", "after"), [(1, 3), (1, 5), (3, 1)])
def test_one_server_never_becomes_a_cluster_nor_a_cluster_one_server(
    tmp_path: Path, before: int, after: int, version: int
) -> None:
    there = nats_objects(embedded(replicas=before))
    code, _, said = upgrade(there, tmp_path, embedded(replicas=after), version)
    assert code != 0
    assert f"nats.embedded.replicas is {after}, but NATS runs with {before}" in said
    assert "Take a backup, uninstall, install anew and restore" in said


def test_a_cluster_never_shrinks(tmp_path: Path) -> None:
    code, _, said = upgrade(nats_objects(embedded(replicas=5)), tmp_path, embedded(replicas=3))
    assert code != 0
    assert "might lose their majority" in said


@pytest.mark.parametrize(("before", "after"), [(1, 1), (3, 3), (3, 5)])
def test_a_cluster_may_grow(tmp_path: Path, before: int, after: int) -> None:
    code, rendered, said = upgrade(nats_objects(embedded(replicas=before)), tmp_path, embedded(replicas=after))
    assert code == 0, said
    assert find(parse(rendered), "StatefulSet")["spec"]["replicas"] == after


def test_where_helm_cannot_look_kubernetes_refuses_since_the_volume_has_another_name() -> None:
    """A StatefulSet's volumeClaimTemplates cannot be changed; what else cannot be stays the same."""
    one, three, five = (find(nats_objects(embedded(replicas=n)), "StatefulSet")["spec"] for n in (1, 3, 5))
    volumes = [
        [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] for spec in (one, three, five)
    ]
    assert volumes == [["data"], ["data-cluster"], ["data-cluster"]]
    for key in ("serviceName", "selector", "podManagementPolicy"):
        assert one[key] == three[key] == five[key]


@pytest.mark.parametrize("version", [4, 3])
def test_passwords_that_were_made_stay(tmp_path: Path, version: int) -> None:
    there = nats_objects()
    made = find(there, "Secret", f"{NAME}-users")["data"]
    code, rendered, said = upgrade(there, tmp_path, {}, version)
    assert code == 0, said
    assert find(parse(rendered), "Secret", f"{NAME}-users")["data"] == made
    assert sorted(made) == sorted(USERS)
    assert len(set(made.values())) == len(USERS)


def test_a_secret_without_a_user_is_named(tmp_path: Path) -> None:
    mine = _encoded({user: "x" * 20 for user in USERS if user != "egress"})
    code, _, said = upgrade([mine], tmp_path, embedded(existingSecret="mine"))
    assert code != 0
    assert "the Secret mine has no password for egress: add the key egress" in said


@pytest.mark.parametrize(
    ("user", "password"), [("agent", "it's"), ("agent", "ends in a line\n"), ("agent", ""), ("route", "a@b")]
)
def test_a_secret_with_a_password_that_cannot_work_is_refused(tmp_path: Path, user: str, password: str) -> None:
    mine = _encoded(dict.fromkeys(USERS, "x" * 20) | {user: password})
    code, _, said = upgrade([mine], tmp_path, embedded(existingSecret="mine", replicas=3))
    assert code != 0
    assert f"the Secret mine: the password of {user} " in said


def test_one_server_needs_no_password_between_servers(tmp_path: Path) -> None:
    mine = _encoded({user: "x" * 20 for user in USERS if user != "route"})
    code, _, said = upgrade([mine], tmp_path, embedded(existingSecret="mine"))
    assert code == 0, said


def _installed(one: Manifest) -> Manifest:
    """As Helm marks what is of a release."""
    mark = {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": NAMESPACE}
    metadata = one["metadata"]
    return {**one, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **mark}}}


def _encoded(data: dict[str, str]) -> Manifest:
    made = secret(data)
    made["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in made.pop("stringData").items()}
    return made
