"""What is in the images: only what the service needs, nothing that builds, nothing that its user could change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from images.building import CREATED, IMAGES, REVISION, VERSION
from images.locks import expected
from images.podman import Podman

pytestmark = [pytest.mark.images, pytest.mark.timeout(1800)]

CONFINED = ("--cap-drop=all", "--security-opt=no-new-privileges", "--network=none")
FOLDERS_TO_WRITE_IN = {"/data", "/tmp", "/var/tmp"}


@pytest.fixture(scope="module")
def insides(podman: Podman, images: dict[str, str]) -> dict[str, Any]:
    """What each image holds, seen by its own user; with a root that is not read-only, so that rights show."""
    script = Path(__file__).with_name("inside.py").read_text()
    return {
        service: json.loads(
            podman(
                "run", "--rm", "-i", *CONFINED, images[service], "python", "-", stdin=script, timeout_s=120
            ).stdout
        )
        for service in IMAGES
    }


@pytest.fixture(scope="module")
def configs(podman: Podman, images: dict[str, str]) -> dict[str, Any]:
    """What each image says of itself."""
    return {service: json.loads(podman.answer("image", "inspect", images[service]))[0] for service in IMAGES}


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_holds_what_its_lock_names_and_nothing_else(insides: dict[str, Any], service: str) -> None:
    inside = insides[service]
    found = {canonicalize_name(name): version for name, version in inside["distributions"].items()}
    assert found == expected(service, inside["python"])


@pytest.mark.parametrize("service", IMAGES)
def test_every_module_can_be_imported_with_what_is_there(insides: dict[str, Any], service: str) -> None:
    assert insides[service]["broken"] == []


@pytest.mark.parametrize("service", IMAGES)
def test_nothing_in_an_image_builds_installs_or_downloads(insides: dict[str, Any], service: str) -> None:
    assert insides[service]["builders"] == []


@pytest.mark.parametrize("service", IMAGES)
def test_no_file_runs_with_the_rights_of_somebody_else(insides: dict[str, Any], service: str) -> None:
    assert insides[service]["setuid"] == []


@pytest.mark.parametrize("service", IMAGES)
def test_its_user_can_change_nothing_of_an_image(insides: dict[str, Any], service: str) -> None:
    inside = insides[service]
    assert inside["user"] == [10001, 10001]
    assert set(inside["writable"]) <= FOLDERS_TO_WRITE_IN


@pytest.mark.parametrize("service", IMAGES)
def test_everything_is_compiled_since_a_read_only_root_keeps_nothing(
    insides: dict[str, Any], service: str
) -> None:
    assert insides[service]["uncompiled"] == []


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_says_what_it_is_and_how_it_runs(configs: dict[str, Any], service: str) -> None:
    config, labels = configs[service]["Config"], configs[service]["Labels"]
    assert labels["org.opencontainers.image.title"] == f"parley-{service}"
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.revision"] == REVISION
    assert labels["org.opencontainers.image.created"] == CREATED
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert (config["User"], config["WorkingDir"], config["StopSignal"]) == ("10001:10001", "/app", "SIGTERM")
    assert config["Cmd"][:3] == ["python", "-m", f"parley_{service}"]
    assert not config.get("Entrypoint")
    assert "Healthcheck" not in config
    assert "PYTHONUNBUFFERED=1" in config["Env"]
    assert not [line for line in config["Env"] if line.startswith("PARLEY_")]


def test_the_images_share_the_layers_of_python(configs: dict[str, Any]) -> None:
    layers = [configs[service]["RootFS"]["Layers"] for service in IMAGES]
    shared = [same for same in zip(*layers, strict=False) if len(set(same)) == 1]
    assert len(shared) >= 2


def test_their_sizes_are_told(
    insides: dict[str, Any], configs: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        for service in IMAGES:
            size, own = configs[service]["Size"] / 2**20, insides[service]["project_mib"]
            sys.stdout.write(f"\n{service:10} {size:6.0f} MiB, of which {own:5.0f} MiB above Python")
        sys.stdout.write("\n")
    assert all(configs[service]["Size"] > 0 for service in IMAGES)
