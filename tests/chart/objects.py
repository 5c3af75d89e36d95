"""Ways through rendered objects: by kind and name, to pods and containers, and over every text in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.helm import Manifest

_POD_PATHS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}


@dataclass(frozen=True)
class Workload:
    """What makes pods. ``template``: metadata and spec of its pods."""

    owner: Manifest
    template: Manifest

    @property
    def kind(self) -> str:
        """As in Deployment."""
        return str(self.owner["kind"])

    @property
    def name(self) -> str:
        """Of the object."""
        return str(self.owner["metadata"]["name"])

    @property
    def component(self) -> str:
        """As in agent; what its pods are labelled with."""
        return str(self.template["metadata"]["labels"]["app.kubernetes.io/component"])

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        return dict(self.template["metadata"]["labels"])

    @property
    def spec(self) -> Manifest:
        """Of its pods."""
        return dict(self.template["spec"])

    @property
    def containers(self) -> list[Manifest]:
        """All of them, those that run first too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def identity(one: Manifest) -> tuple[str, str]:
    """What tells an object from the others of its namespace."""
    return one["kind"], one["metadata"]["name"]


def of_kind(objects: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    """Those of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def named(objects: Iterable[Manifest], kind: str, name: str) -> Manifest:
    """The one of a kind and a name; AssertionError where it is not there."""
    found = [one for one in objects if identity(one) == (kind, name)]
    assert len(found) == 1, f"{len(found)} times {kind} {name}"
    return found[0]


def workloads(objects: Iterable[Manifest]) -> list[Workload]:
    """All that make pods."""
    found = []
    for one in objects:
        if (path := _POD_PATHS.get(one["kind"])) is not None:
            template = one
            for step in path:
                template = template[step]
            found.append(Workload(one, template))
    return found


def workload(objects: Iterable[Manifest], component: str, kind: str = "Deployment") -> Workload:
    """The one of a component."""
    found = [one for one in workloads(objects) if one.kind == kind and one.component == component]
    assert len(found) == 1, f"{len(found)} times {kind} of {component}"
    return found[0]


def environment(objects: Iterable[Manifest], container: Manifest) -> dict[str, Any]:
    """What a container is told: by its ConfigMaps, then its own; None for what comes from elsewhere."""
    objects = list(objects)
    told: dict[str, Any] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source and not source["configMapRef"].get("optional"):
            told |= named(objects, "ConfigMap", source["configMapRef"]["name"]).get("data", {})
    return told | {one["name"]: one.get("value") for one in container.get("env", [])}


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value that holds no others, with its path; an empty mapping or list is one."""
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, Mapping):
        inner = node.items()
    elif isinstance(node, list):
        inner = enumerate(node)
    empty = True
    for key, value in inner:
        empty = False
        yield from leaves(value, (*path, key))
    if empty:
        yield path, node


def texts(node: Any) -> Iterator[str]:
    """Every text in a tree, keys too."""
    for path, value in leaves(node):
        yield from (str(step) for step in path)
        yield str(value)


def nested(path: Iterable[Any], value: Any) -> Any:
    """A tree with one value at a path."""
    for step in reversed(list(path)):
        value = {step: value}
    return value
