"""The rendered nats.conf before ``nats-server -t``, with the environment that its pod would have."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from chart.local.environment import environment_of
from chart.local.manifests import Objects
from chart.nats_release import NAME, find
from harness.helm import Manifest


def environment(objects: list[Manifest], pod: str = f"{NAME}-0") -> dict[str, str]:
    """The variables of the container."""
    return environment_of(container(objects), Objects(tuple(objects)), {"metadata.name": pod})


def container(objects: list[Manifest], name: str = "nats") -> Any:
    """The server's container, or another of its pod."""
    spec = find(objects, "StatefulSet")["spec"]["template"]["spec"]
    (found,) = [one for one in spec["containers"] if one["name"] == name]
    return found


def checked(objects: list[Manifest], directory: Path) -> tuple[int, str]:
    """What ``nats-server -t`` says; its paths of files are those of ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in find(objects, "ConfigMap")["data"].items():
        (directory / name).write_text(text.replace('"/etc/nats-tls/', f'"{directory}/'))
    ended = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "nats-server", "-t", "-c", directory / "nats.conf"],
        env={"PATH": os.defpath, **environment(objects)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return ended.returncode, ended.stderr


def secret(data: dict[str, str], name: str = "mine") -> Manifest:
    """A Secret of the operator's."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
