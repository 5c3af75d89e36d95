"""compose.yaml and what lies beside it: its settings are settings of the services, and nobody in it has rights."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from images.building import IMAGES
from images.composing import FOLDER, read_compose, seconds, variables
from images.locks import MEMBERS, own_packages, project
from parley_common.shared_settings import read_common

SECRETS = {"PARLEY_HASH_KEY", "PARLEY_SECRET_KEY", "PARLEY_API_KEY", "TWILIO_AUTH_TOKEN"}
GIVEN = {name: f"{number}{'0123456789abcdef' * 2}" for number, name in enumerate(sorted(SECRETS))}
SERVICES: dict[str, Any] = read_compose(GIVEN)["services"]
OURS = {**{name: name for name in IMAGES}, "declare": "ingress"}
"""The services of the file that run an image of ours, and which."""

PORTS = {"ingress": 8080, "status": 8081, "simulator": 8082, "agent": 8083, "egress": 8084}


def example() -> dict[str, str]:
    """What .env.example sets, also behind a #."""
    lines = [line.removeprefix("#") for line in (FOLDER / ".env.example").read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def constants(service: str) -> set[str]:
    """Every text that stands in the code of an image."""
    trees = (
        ast.parse(path.read_text())
        for member in own_packages(service)
        for path in MEMBERS[member].parent.glob("src/**/*.py")
    )
    nodes = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in nodes if isinstance(value, str)}


@pytest.mark.parametrize("name", OURS)
def test_each_name_in_an_environment_is_a_setting_of_that_service(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= constants(OURS[name])


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_that_is_missing_is_asked_for_by_its_name(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        read_compose({**GIVEN, name: ""})


def test_the_example_of_settings_holds_no_secret_and_names_what_is_read() -> None:
    named = example()
    assert set(named) - {"COMPOSE_PROFILES"} <= variables()
    assert {name for name, value in named.items() if not value} >= SECRETS
    assert not [value for value in named.values() if re.search(r"[0-9a-fA-F]{16}|sk-", value)]


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_with_rights_or_on_a_root_that_can_be_written(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & set(service)
    assert {"mem_limit", "pids_limit", "logging"} <= set(service)
    if name in OURS:
        assert service["user"] == "10001:10001"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


def test_the_broker_is_reached_from_its_own_network_only() -> None:
    assert SERVICES["nats"]["networks"] == ["broker"]
    assert "ports" not in SERVICES["nats"]
    assert read_compose(GIVEN)["networks"]["broker"] == {"internal": True}


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_the_image_of_somebody_else_is_named_by_its_whole_version(name: str) -> None:
    assert re.search(r"^[a-z.]+/[a-z/]+:v?\d+\.\d+\.\d+(-alpine)?$", SERVICES[name]["image"])


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_of_ours_is_built_from_its_service_and_has_the_version_of_this_project(name: str) -> None:
    service = SERVICES[name]
    assert service["build"]["args"] == {"SERVICE": name}
    assert service["image"].endswith(f"-{name}:{project(f'parley-{name}')['version']}")


@pytest.mark.parametrize(("name", "port"), PORTS.items())
def test_health_is_asked_for_at_the_port_of_the_service(name: str, port: int) -> None:
    assert f"'http://127.0.0.1:{port}/readyz'" in SERVICES[name]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", [*PORTS, "nats"])
def test_a_service_is_given_longer_to_end_than_it_takes(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) > read_common(GIVEN).grace_s


def test_services_start_once_all_is_declared_and_the_declare_step_once_the_broker_is_healthy() -> None:
    assert SERVICES["declare"]["depends_on"] == {"nats": {"condition": "service_healthy"}}
    for name in ("ingress", "agent", "egress", "status"):
        assert SERVICES[name]["depends_on"] == {"declare": {"condition": "service_completed_successfully"}}


def test_prometheus_asks_each_service_at_its_port() -> None:
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"][0]["static_configs"]
    targets = {target for one in scraped for target in one["targets"]}
    assert targets == {f"{name}:{port}" for name, port in PORTS.items() if name != "simulator"}
    assert all(one["labels"]["namespace"] for one in scraped)  # the alerts group by it


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there_and_cannot_be_changed(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        if mount["type"] == "bind":
            assert mount["read_only"] is True
            assert (FOLDER / mount["source"]).resolve().exists()


def test_docker_compose_takes_the_file() -> None:
    if (
        shutil.which("docker") is None
        or subprocess.run(("docker", "compose", "version"), capture_output=True, check=False).returncode
    ):
        pytest.skip("docker compose is not installed")
    command = ("docker", "compose", "--file", str(FOLDER / "compose.yaml"), "config", "--quiet")
    done = subprocess.run(command, env={**os.environ, **GIVEN}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
