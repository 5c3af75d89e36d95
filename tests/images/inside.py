"""Runs inside an image, where nothing of the tests is: writes as JSON what it finds there. Needs Python alone."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shutil
import stat
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

BUILDERS = ("gcc", "cc", "g++", "clang", "ld", "make", "cargo", "go", "pip", "pip3", "uv", "wheel", "git", "curl")
ELSEWHERE = ("proc", "sys", "dev", "run")


def files() -> Iterator[tuple[Path, os.stat_result]]:
    """Every file of the image with its state; not those of mounted file systems."""
    for top in Path("/").iterdir():
        if top.name not in ELSEWHERE and not top.is_symlink():
            for folder, _, names in os.walk(top):
                for path in (Path(folder), *(Path(folder, name) for name in names)):
                    yield path, path.lstat()


def broken_modules() -> Iterator[str]:
    """Modules of the project that cannot be imported with what is here, each with the reason."""
    places = Path(sys.prefix).glob("lib/python3*/site-packages/parley_*")
    own = sorted(path.name for path in places if path.is_dir() and path.suffix != ".dist-info")
    for package in own:
        for found in [package, *(one.name for one in pkgutil.walk_packages([_place(package)], f"{package}."))]:
            if ".migrations." in found:  # Alembic runs those, with a context of its own
                continue
            try:
                importlib.import_module(found)
            except Exception as error:
                yield f"{found}: {type(error).__name__}: {error}"


def _place(package: str) -> str:
    return str(next(Path(sys.prefix).glob("lib/python3*/site-packages")) / package)


def uncompiled(path: Path) -> bool:
    """Whether Python would have to compile this file at each start."""
    return path.suffix == ".py" and not any((path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc"))


found = list(files())
regular = [(path, state) for path, state in found if stat.S_ISREG(state.st_mode)]
sys.stdout.write(
    json.dumps(
        {
            "user": [os.getuid(), os.getgid()],
            "python": list(sys.version_info[:3]),
            "executable": sys.executable,
            "distributions": {one.metadata["Name"]: one.version for one in metadata.distributions()},
            "broken": list(broken_modules()),
            "builders": [name for name in BUILDERS if shutil.which(name)],
            "setuid": [str(path) for path, state in regular if state.st_mode & (stat.S_ISUID | stat.S_ISGID)],
            "writable": [str(path) for path, state in found if not path.is_symlink() and os.access(path, os.W_OK)],
            "uncompiled": [str(path) for path, _ in regular if "site-packages" in path.parts and uncompiled(path)],
            "project_mib": sum(state.st_size for path, state in regular if path.parts[1] == "app") / 2**20,
        }
    )
)
