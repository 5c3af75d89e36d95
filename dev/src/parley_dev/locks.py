"""Checks, without a network, that requirements/*.txt hold what the pyprojects ask for.

Every requirement must be pinned at a version it allows, every pin must carry a hash, and no file may name an
index. Whether newer releases exist is no question here. ``python -m parley_dev.locks`` runs it.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)")
_MEMBERS = ("libs/*/pyproject.toml", "services/*/pyproject.toml", "dev/pyproject.toml")


def read_pins(lock: str) -> dict[str, str]:
    """The pinned version of every package in the text of a lock."""
    found = (_PIN.match(line) for line in lock.splitlines())
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def find_unmet(requirements: Sequence[str], pins: Mapping[str, str]) -> Iterator[str]:
    """A sentence for every requirement that no pin meets."""
    for text in requirements:
        wanted = Requirement(text)
        pinned = pins.get(canonicalize_name(wanted.name))
        if pinned is None:
            yield f"{wanted.name} is not pinned"
        elif not wanted.specifier.contains(pinned, prereleases=True):
            yield f"{wanted.name} is pinned at {pinned}, but {wanted.specifier} is asked for"


def find_flaws(lock: str) -> Iterator[str]:
    """A sentence for every pin without a hash and every line that names an address."""
    lines = lock.splitlines()
    for number, line in enumerate(lines):
        pin = _PIN.match(line)
        if pin and "--hash=sha256:" not in "".join(lines[number : number + 2]):
            yield f"{pin[1]} has no hash"
        if "://" in line or line.startswith("-"):
            yield f"line {number + 1} names an address or an option"


def check(root: Path) -> list[str]:
    """All complaints about the locks of a project, each naming its file."""
    members = [tomllib.loads(path.read_text()) for pattern in _MEMBERS for path in sorted(root.glob(pattern))]
    own = {member["project"]["name"] for member in members}
    asked = [text for member in members for text in member["project"]["dependencies"]]
    wanted = {
        "main.txt": [text for text in asked if Requirement(text).name not in own],
        "dev.txt": tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]["dev"],
    }
    complaints = []
    for name, requirements in wanted.items():
        lock = (root / "requirements" / name).read_text()
        found = [*find_unmet(requirements, read_pins(lock)), *find_flaws(lock)]
        complaints += [f"requirements/{name}: {sentence}" for sentence in found]
    return complaints


def main() -> None:
    """The command; run it in the project's folder."""
    complaints = check(Path.cwd())
    if complaints:
        sys.exit("\n".join([*complaints, "run: make lock"]))
    sys.stdout.write("Every requirement is pinned by its lock.\n")


if __name__ == "__main__":
    main()
