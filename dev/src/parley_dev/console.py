"""What a run shows: one stream of lines, each with the name of who said it, coloured on a terminal only."""

from __future__ import annotations

import os
import signal
import sys
from typing import TextIO

_OWN = "parley"
_COLOURS = {
    _OWN: "1",
    "nats": "90",
    "declare": "90",
    "simulator": "35",
    "ingress": "36",
    "agent": "32",
    "egress": "33",
    "status": "34",
}
_WIDTH = max(map(len, _COLOURS))


class Console:
    """Writes whole lines."""

    def __init__(self, stream: TextIO = sys.stdout, *, coloured: bool | None = None) -> None:
        self._stream = stream
        on_terminal = stream.isatty() and "NO_COLOR" not in os.environ
        self._coloured = on_terminal if coloured is None else coloured

    def say(self, text: str) -> None:
        """A line of the run itself."""
        self.pass_on(_OWN, text)

    def pass_on(self, name: str, text: str) -> None:
        """A line of one of its processes."""
        prefix = f"{name:<{_WIDTH}} |"
        if self._coloured:
            prefix = f"\033[{_COLOURS.get(name, '0')}m{prefix}\033[0m"
        self._write(f"{prefix} {text}\n")

    def show(self, text: str) -> None:
        """A block without prefixes."""
        self._write(f"\n{text.rstrip()}\n\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            # Nobody reads any more, as after `| head`: end in good order instead of with a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            os.kill(os.getpid(), signal.SIGTERM)
