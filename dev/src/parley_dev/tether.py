"""A launcher that ties a process to its parent: the kernel kills it when the parent dies, however it dies.

Run as a file, by an interpreter without site packages, so that it costs milliseconds:
``python -I -S tether.py PARENT_PID COMMAND …``. It becomes the command. Done here and not between fork and exec,
where Python code may deadlock. Only Linux offers this; elsewhere it just becomes the command.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def tethered(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command that runs ``command`` tied to this process."""
    return (sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), *command)


def _tie(parent: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the knot was tied
        sys.exit("the parent is gone")


def _main() -> None:
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        _tie(int(parent))
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    _main()
