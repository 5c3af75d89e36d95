"""Reads deploy/docker/compose.yaml and says how podman runs it: the tests run that file, not a copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from images.podman import ROOT

FOLDER = ROOT / "deploy" / "docker"
FILE = FOLDER / "compose.yaml"

_VARIABLE = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


def read_compose(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file with the variables put in, as compose does; a KeyError names one that must be given."""
    read: dict[str, Any] = _filled(yaml.safe_load(FILE.read_text()), environment)
    return read


def _filled(read: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(read, dict):
        return {key: _filled(value, environment) for key, value in read.items()}
    if isinstance(read, list):
        return [_filled(value, environment) for value in read]
    return _VARIABLE.sub(lambda found: _value(found, environment), read) if isinstance(read, str) else read


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name, operator, default = found.groups()
    value = environment.get(name)
    if value or operator is None or (value is not None and not operator.startswith(":")):
        return value or ""
    if operator.endswith("?"):
        raise KeyError(name)
    return str(default)


def variables() -> set[str]:
    """The variables that the file may be given."""
    return {found[0] for found in _VARIABLE.findall(FILE.read_text())}


def arguments(project: str, name: str, service: Mapping[str, Any]) -> list[str]:
    """How podman runs a service of the file, up to the name of the image."""
    return [*_limits(service), *_environment(service), *_mounts(project, service), *_reach(project, name, service)]


def seconds(text: str) -> float:
    """A duration as compose writes it."""
    return float(text.removesuffix("s"))


def _limits(service: Mapping[str, Any]) -> Iterator[str]:
    if service.get("read_only"):
        yield "--read-only"
        yield "--read-only-tmpfs=false"
    if "user" in service:
        yield f"--user={service['user']}"
    if service.get("init"):
        yield "--init"
    yield from (f"--cap-drop={capability}" for capability in service.get("cap_drop", ()))
    yield from (f"--security-opt={option.partition(':')[0]}" for option in service.get("security_opt", ()))
    yield from (f"--tmpfs={folder}" for folder in service.get("tmpfs", ()))
    yield f"--memory={service['mem_limit']}"
    yield f"--pids-limit={service['pids_limit']}"


def _environment(service: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"--env={name}={value}" for name, value in service.get("environment", {}).items())


def _mounts(project: str, service: Mapping[str, Any]) -> Iterator[str]:
    for mount in service.get("volumes", ()):
        bound = mount["type"] == "bind"
        source = str((FOLDER / mount["source"]).resolve()) if bound else f"{project}-{mount['source']}"
        yield f"--volume={source}:{mount['target']}" + (":ro" if mount.get("read_only") else "")


def _reach(project: str, name: str, service: Mapping[str, Any]) -> Iterator[str]:
    yield f"--network={','.join(f'{project}-{network}' for network in service['networks'])}"
    yield f"--network-alias={name}"
    yield from (f"--publish={port}" for port in service.get("ports", ()))
