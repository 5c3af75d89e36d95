"""What an object must look like: Kubernetes' own schemas, strict, and those beside this file for others' kinds."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from harness.helm import Manifest

_OWN = Path(__file__).parent / "schemas"
CUSTOM_KINDS = {path.stem for path in _OWN.glob("*.json")}


def complaints(one: Manifest, kube: str) -> Iterator[str]:
    """What is wrong with an object in a version of Kubernetes such as 1.29; a kind without a schema is wrong."""
    kind, name = one["kind"], one["metadata"]["name"]
    group, _, version = str(one["apiVersion"]).rpartition("/")
    if kind in CUSTOM_KINDS:
        found = _custom(kind)
    else:
        stem = "-".join(filter(None, (kind.lower(), group.split(".")[0], version)))
        if (maybe := _kubernetes(kube, stem)) is None:
            yield f"{kind} {name}: Kubernetes {kube} has no {one['apiVersion']} {kind}"
            return
        found = maybe
    for error in found.iter_errors(one):
        yield f"{kind} {name}: {'.'.join(map(str, error.path))}: {error.message[:300]}"


def _folder(kube: str) -> Any:
    all_schemas = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    return next(
        folder
        for folder in all_schemas.iterdir()
        if folder.name.startswith(f"v{kube}.") and folder.name.endswith("-local-strict")
    )


@functools.cache
def _registry(kube: str) -> Any:
    definitions = json.loads((_folder(kube) / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


@functools.cache
def _kubernetes(kube: str, stem: str) -> Draft202012Validator | None:
    file = _folder(kube) / f"{stem}.json"
    if not file.is_file():
        return None
    return Draft202012Validator(json.loads(file.read_text()), registry=_registry(kube))


@functools.cache
def _custom(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((_OWN / f"{kind}.json").read_text()))
