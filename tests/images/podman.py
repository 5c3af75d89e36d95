"""podman with a storage, networks and settings of its own, so that nothing else of the machine is touched.

Containers are gone at the end; what was built stays as a cache in ``.venv/images``, which ``make clean`` removes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORAGE = ROOT / ".venv" / "images"
WORKSHOP = Path(tempfile.gettempdir()) / f"parley-images-{zlib.crc32(str(STORAGE).encode()):08x}"
"""Always the same for a storage, which remembers it; short, since sockets in it have short names."""

_SETTINGS = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""


class Podman:
    """Runs podman; ``folder`` is for its settings and sockets, and whatever else a test wants to lay there."""

    def __init__(self, folder: Path) -> None:
        settings = folder / "containers.conf"
        settings.write_text(_SETTINGS)
        self.folder = folder
        self._environment = {**os.environ, "CONTAINERS_CONF": str(settings)}
        self._command = (
            *("podman", "--root", str(STORAGE), "--runroot", str(folder / "run")),
            *("--network-config-dir", str(folder / "networks")),
        )

    def __call__(
        self, *arguments: str, timeout_s: float = 60.0, stdin: str | None = None, may_fail: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """The ended command; fails the test with what podman said, unless it may fail."""
        done = subprocess.run(
            (*self._command, *arguments),
            env=self._environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        said = f"{done.stdout[-2000:]}{done.stderr[-6000:]}"
        assert may_fail or done.returncode == 0, (
            f"podman {' '.join(arguments)} ended with {done.returncode}:\n{said}"
        )
        return done

    def answer(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """What it wrote, without the end of the line."""
        return self(*arguments, timeout_s=timeout_s).stdout.strip()


@contextmanager
def own_podman() -> Iterator[Podman]:
    """A podman for one run of the tests."""
    for command in ("podman", "runc", "mmdebstrap"):
        if shutil.which(command) is None:
            pytest.fail(f"{command} is missing: deploy/docker/README.md names the packages that test-images needs")
    STORAGE.mkdir(parents=True, exist_ok=True)
    WORKSHOP.mkdir(mode=0o700, exist_ok=True)
    podman = Podman(WORKSHOP)
    with (STORAGE / "one-at-a-time.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clear(podman)
        try:
            yield podman
        finally:
            clear(podman)
            shutil.rmtree(WORKSHOP, ignore_errors=True)


def clear(podman: Podman) -> None:
    """Ends all containers of this storage and forgets their volumes and networks, those of a killed run too."""
    podman("rm", "--all", "--force", "--time", "2")
    podman("volume", "rm", "--all", "--force")
    for name in podman.answer("network", "ls", "--quiet").split():
        podman("network", "rm", "--force", name, may_fail=True)  # podman's own cannot be removed
