"""Checks, without a network, that requirements/*.txt hold what the pyprojects ask for.

Every requirement must be pinned at a version it allows, every pin must carry a hash, and no file may name an
index. The lock of an image must say of each package what main.txt says: version, marker and hashes. Whether newer
releases exist is no question here. ``python -m parley_dev.locks`` runs it.
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

IMAGES = ("ingress", "agent", "egress", "status", "simulator", "cli")
"""The members that become images, each with a lock of its own."""


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


def find_strangers(lock: str, main: str) -> Iterator[str]:
    """A sentence for every pin that does not stand word for word, hashes and all, in the lock of everything."""
    known = read_entries(main)
    for name, entry in read_entries(lock).items():
        if name not in known:
            yield f"{name} does not stand in main.txt"
        elif entry != known[name]:
            yield f"{name} is pinned in another way than in main.txt"


def read_entries(lock: str) -> dict[str, str]:
    """Every pin with all that belongs to it: version, marker and hashes."""
    whole = lock.replace("\\\n", "").splitlines()
    return {canonicalize_name(pin[1]): " ".join(line.split()) for line in whole if (pin := _PIN.match(line))}


def closure(member: str, asked: Mapping[str, Sequence[str]]) -> list[str]:
    """What a member and those that it needs ask of others; ``asked`` has the requirements of each member."""
    found: list[str] = []
    todo, done = [member], set[str]()
    while todo:
        done.add(one := todo.pop())
        names = {text: Requirement(text).name for text in asked[one]}
        found += [text for text, name in names.items() if name not in asked]
        todo += [name for name in names.values() if name in asked and name not in done]
    return found


def check(root: Path) -> list[str]:
    """All complaints about the locks of a project, each naming its file."""
    asked = _read_members(root)
    groups: dict[str, list[str]] = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    wanted = {"main": [text for texts in asked.values() for text in texts if Requirement(text).name not in asked]}
    wanted |= groups | {image: closure(f"parley-{image}", asked) for image in IMAGES}
    locks = {name: (root / "requirements" / f"{name}.txt").read_text() for name in wanted}
    complaints = []
    for name, lock in locks.items():
        found = [*find_unmet(wanted[name], read_pins(lock)), *find_flaws(lock)]
        found += find_strangers(lock, locks["main"]) if name in IMAGES else ()
        complaints += [f"requirements/{name}.txt: {sentence}" for sentence in found]
    return complaints


def _read_members(root: Path) -> dict[str, list[str]]:
    """What each member of the project asks for, by its name."""
    paths = [path for pattern in _MEMBERS for path in sorted(root.glob(pattern))]
    projects = [tomllib.loads(path.read_text())["project"] for path in paths]
    return {project["name"]: project["dependencies"] for project in projects}


def main() -> None:
    """The command; run it in the project's folder."""
    complaints = check(Path.cwd())
    if complaints:
        sys.exit("\n".join([*complaints, "run: make lock"]))
    sys.stdout.write("Every requirement is pinned by its lock.\n")


if __name__ == "__main__":
    main()
