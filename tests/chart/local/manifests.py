"""The rendered objects as a cluster would hold them: found by kind and name, pods by their labels. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.helm import Manifest

TEST_HOOK = "test"
_HOOK = "helm.sh/hook"


@dataclass(frozen=True)
class Objects:
    """All of a release, and what the operator made before it, such as Secrets."""

    all: tuple[Manifest, ...]

    def get(self, kind: str, name: str) -> Manifest | None:
        """The object of this kind and name."""
        return next((one for one in self.of(kind) if one["metadata"]["name"] == name), None)

    def of(self, kind: str) -> list[Manifest]:
        """All of a kind, in the order of the render."""
        return [one for one in self.all if one["kind"] == kind]

    def data(self, kind: str, name: str) -> dict[str, str] | None:
        """What a ConfigMap or Secret holds, decoded; None where there is none of that name."""
        found = self.get(kind, name)
        if found is None:
            return None
        plain = {**(found.get("data") or {})}
        if kind == "Secret":
            plain = {key: base64.b64decode(value).decode() for key, value in plain.items()}
        return plain | {key: str(value) for key, value in (found.get("stringData") or {}).items()}


def hooks_of(one: Manifest) -> set[str]:
    """The Helm hooks of an object: those are no part of the release itself."""
    return set(filter(None, one["metadata"].get("annotations", {}).get(_HOOK, "").split(",")))


def selects(service: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a Service selects pods of these labels."""
    wanted = service["spec"].get("selector") or {}
    return bool(wanted) and all(labels.get(name) == value for name, value in wanted.items())


def container_port(spec: Manifest, named: str | int) -> int:
    """The number of a port that is named in a pod's containers; a number is itself."""
    if isinstance(named, int):
        return named
    ports: Sequence[Any] = [port for one in spec["containers"] for port in one.get("ports", [])]
    return next(int(port["containerPort"]) for port in ports if port.get("name") == named)
