"""Builds the images as ``make images`` does, upon a base that needs no registry, and a broker to go with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from images.podman import ROOT, Podman

IMAGES = ("ingress", "agent", "egress", "status", "simulator", "cli")
STAND_IN = "localhost/parley-test-python:3.13-trixie"
BROKER = "localhost/parley-test-nats:latest"
VERSION = "1.2.3-test"
REVISION = "0123456789abcdef0123456789abcdef01234567"
CREATED = "2026-01-02T03:04:05Z"

_PACKAGES = "python3,python3-pip,ca-certificates"
_BUILD_WITHIN_S = 600.0


def name(service: str) -> str:
    """The image of a service under test."""
    return f"localhost/parley-test-{service}:latest"


def base(podman: Podman) -> str:
    """What the images stand on: BASE of the environment, else Debian's own Python, made of its packages once."""
    if given := os.environ.get("BASE"):
        return given
    if podman("image", "exists", STAND_IN, may_fail=True).returncode == 1:
        tar = podman.folder / "root.tar"
        made = ["mmdebstrap", "--variant=minbase", f"--include={_PACKAGES}", "trixie", str(tar)]
        subprocess.run(made, check=True, capture_output=True, timeout=_BUILD_WITHIN_S)
        podman("import", str(tar), STAND_IN, timeout_s=_BUILD_WITHIN_S)
        tar.unlink()
    return STAND_IN


def build(podman: Podman, service: str, base_image: str) -> str:
    """Builds the image of one service and gives its name."""
    arguments = {
        "BASE": base_image,
        "SERVICE": service,
        "VERSION": VERSION,
        "REVISION": REVISION,
        "CREATED": CREATED,
    }
    podman(
        *("build", "--network", "host", "--tag", name(service), "--file", str(ROOT / "deploy/docker/Dockerfile")),
        *("--pull=never" if base_image == STAND_IN else "--pull=missing",),
        *(part for key, value in arguments.items() for part in ("--build-arg", f"{key}={value}")),
        *_secrets(podman.folder),
        str(ROOT),
        timeout_s=_BUILD_WITHIN_S,
    )
    return name(service)


def build_broker(podman: Podman, base_image: str) -> str:
    """The nats-server of the tests in an image; the real one's has a shell and little else."""
    folder = podman.folder / "broker"
    folder.mkdir(exist_ok=True)
    shutil.copy(Path(sysconfig.get_path("scripts")) / "nats-server", folder / "nats-server")
    (folder / "Containerfile").write_text(f"FROM {base_image}\nCOPY nats-server /usr/local/bin/nats-server\n")
    podman("build", "--pull=never", "--tag", BROKER, str(folder), timeout_s=_BUILD_WITHIN_S)
    return BROKER


def _secrets(folder: Path) -> list[str]:
    """What pip is told on this machine of where packages come from, given to the build as its two secrets."""
    lines = ["[global]", "disable-pip-version-check = true"]
    index = subprocess.run(
        (sys.executable, "-m", "pip", "config", "get", "global.index-url"),
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    lines += [f"index-url = {index}"] if index else []
    certificates = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    lines += ["cert = /run/secrets/ca"] if certificates else []
    (folder / "pip.conf").write_text("\n".join(lines) + "\n")
    given = ["--secret", f"id=pip,src={folder / 'pip.conf'}"]
    return [*given, "--secret", f"id=ca,src={certificates}"] if certificates else given
