"""The volumes of a pod as folders: what ConfigMaps and Secrets hold is written there, a claim's folder lasts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chart.local.environment import CannotStart
from chart.local.manifests import Objects
from harness.helm import Manifest

_TMP = "/tmp"

Rewrite = Callable[[str], str]


def make_volumes(
    spec: Manifest, objects: Objects, folder: Path, disks: Path, own: Mapping[str, Path]
) -> dict[str, Path]:
    """The folder of each volume. ``disks``: where claims lie, by name. ``own``: of a StatefulSet's templates."""
    made = dict(own)
    for volume in spec.get("volumes", []):
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            made[volume["name"]] = disks / claim["claimName"]
        else:
            made[volume["name"]] = _make(volume, objects, folder / "volumes" / volume["name"])
    for path in made.values():
        path.mkdir(parents=True, exist_ok=True)
    return made


def places_of(container: Manifest, volumes: Mapping[str, Path]) -> dict[str, str]:
    """Where a container's mounts are on this machine, by their paths in the pod; but for its /tmp."""
    places = {}
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            raise CannotStart(f"{container['name']} mounts {mount['name']}, and the pod has no such volume")
        if mount["mountPath"] != _TMP:
            places[mount["mountPath"]] = str(volumes[mount["name"]] / mount.get("subPath", ""))
    return places


def rewrite_files(volumes: Mapping[str, Path], spec: Manifest, rewrite: Rewrite) -> None:
    """Rewrites what came from ConfigMaps and Secrets."""
    for volume in spec.get("volumes", []):
        if "emptyDir" not in volume and "persistentVolumeClaim" not in volume:
            for path in filter(Path.is_file, volumes[volume["name"]].rglob("*")):
                path.write_text(rewrite(path.read_text()))


def _make(volume: Mapping[str, Any], objects: Objects, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for source in volume.get("projected", {}).get("sources", [volume]):
        for kind, key, named in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            if key in source:
                reference = source[key]
                name = reference.get(named) or reference["name"]
                _write(objects, kind, name, reference, folder)
    return folder


def _write(objects: Objects, kind: str, name: str, reference: Mapping[str, Any], folder: Path) -> None:
    data = objects.data(kind, name)
    if data is None:
        if reference.get("optional"):
            return
        raise CannotStart(f"there is no {kind} {name} to mount")
    items = reference.get("items") or [{"key": key, "path": key} for key in data]
    for item in items:
        if item["key"] not in data:
            raise CannotStart(f"there is no {item['key']} in {kind} {name} to mount")
        path = folder / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data[item["key"]])
