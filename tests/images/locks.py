"""What an image should hold, by its lock and the project's packages, and by the metadata of what is installed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from images.podman import ROOT
from parley_dev.locks import read_pins

MEMBERS: Mapping[str, Path] = {
    f"parley-{path.parent.name}": path
    for pattern in ("libs/*/pyproject.toml", "services/*/pyproject.toml")
    for path in ROOT.glob(pattern)
}


def lock_text(name: str) -> str:
    """A lock as it stands in the repository."""
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def project(name: str) -> dict[str, Any]:
    """The ``[project]`` table of a member."""
    table: dict[str, Any] = tomllib.loads(MEMBERS[name].read_text())["project"]
    return table


def own_packages(service: str) -> set[str]:
    """The members that a service is made of, itself among them."""
    found: set[str] = set()
    todo = [f"parley-{service}"]
    while todo:
        if (member := todo.pop()) not in found:
            found.add(member)
            names = (Requirement(text).name for text in project(member)["dependencies"])
            todo += [name for name in names if name in MEMBERS]
    return found


def foreign_requirements(service: str) -> list[Requirement]:
    """What those members ask of others."""
    texts = [text for member in own_packages(service) for text in project(member)["dependencies"]]
    return [wanted for text in texts if (wanted := Requirement(text)).name not in MEMBERS]


def expected(service: str, python: Sequence[int]) -> dict[str, str]:
    """The distributions of an image with that Python on Linux, each with its version."""
    full = ".".join(map(str, python))
    here = {"python_version": ".".join(full.split(".")[:2]), "python_full_version": full}
    own = {member: str(project(member)["version"]) for member in own_packages(service)}
    markers = dict(_markers(lock_text(service)))
    pins = read_pins(lock_text(service))
    return own | {name: pins[name] for name in pins if name not in markers or markers[name].evaluate(here)}


def closure(service: str) -> set[str]:
    """What a service needs on this machine, by the metadata of what is installed."""
    found: set[str] = set()
    todo = list(foreign_requirements(service))
    done: set[str] = set()
    while todo:
        wanted = todo.pop()
        if str(wanted) in done or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        done.add(str(wanted))
        found.add(canonicalize_name(wanted.name))
        todo += _needs(wanted)
    return found


def _needs(wanted: Requirement) -> Iterator[Requirement]:
    for text in metadata.requires(wanted.name) or ():
        needed = Requirement(text)
        extras = {"", *wanted.extras}
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
            needed.marker = None
            yield needed


def _markers(lock: str) -> Iterator[tuple[str, Marker]]:
    for line in lock.splitlines():
        if "==" in line and " ; " in line:
            requirement = Requirement(line.removesuffix("\\").strip())
            if requirement.marker is not None:
                yield canonicalize_name(requirement.name), requirement.marker
