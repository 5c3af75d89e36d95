"""The environment that Kubernetes gives a container: ConfigMaps, Secrets, fields, names in values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chart.local.manifests import Objects
from harness.helm import Manifest

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_SOURCES = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
_KEYS = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}


class CannotStart(Exception):  # noqa: N818 - the kubelet calls it CreateContainerConfigError
    """The container refers to what is not there."""


def compose(text: str, known: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced by what is known of it; ``$$`` is a dollar, an unknown name stays as it stands."""

    def value(found: re.Match[str]) -> str:
        if found[1] is None:
            return "$"
        return known.get(found[1], found[0])

    return _REFERENCE.sub(value, text)


def environment_of(container: Manifest, objects: Objects, fields: Mapping[str, str]) -> dict[str, str]:
    """All variables of a container. ``fields``: of the pod, as ``metadata.name``."""
    known: dict[str, str] = {}
    for source in container.get("envFrom", []):
        known |= _all_of(source, objects)
    for one in container.get("env", []):
        assert one["name"] not in {other["name"] for other in container["env"] if other is not one}, one["name"]
        value = _value(one, objects, fields, known)
        if value is not None:
            known[one["name"]] = value
    return known


def _all_of(source: Mapping[str, Any], objects: Objects) -> dict[str, str]:
    key = next(name for name in _SOURCES if name in source)
    reference = source[key]
    data = objects.data(_SOURCES[key], reference["name"])
    if data is None:
        if reference.get("optional"):
            return {}
        raise CannotStart(f"there is no {_SOURCES[key]} {reference['name']}")
    prefix = source.get("prefix", "")
    return {prefix + name: value for name, value in data.items()}


def _value(
    one: Mapping[str, Any], objects: Objects, fields: Mapping[str, str], known: Mapping[str, str]
) -> str | None:
    if "valueFrom" not in one:
        text = one.get("value", "")
        assert isinstance(text, str), f"{one['name']} is {text!r}, Kubernetes takes texts only"
        return compose(text, known)
    source = one["valueFrom"]
    if "fieldRef" in source:
        return fields[source["fieldRef"]["fieldPath"]]
    key = next(name for name in _KEYS if name in source)
    reference = source[key]
    found = (objects.data(_KEYS[key], reference["name"]) or {}).get(reference["key"])
    if found is None and not reference.get("optional"):
        raise CannotStart(f"{one['name']}: there is no {reference['key']} in {_KEYS[key]} {reference['name']}")
    return found
