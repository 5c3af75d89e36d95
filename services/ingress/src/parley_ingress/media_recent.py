"""The files that were served last, in memory: a file's name is a hash of its bytes, so none goes stale.

They are read anew once a minute all the same, so that what an operator deletes is soon gone.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from parley_common.media_store import Medium

MOST_BYTES = 32 * 1024 * 1024
_GOOD_FOR_S = 60.0


class Recent:
    """So many bytes of files; what was asked for longest ago makes room."""

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._files: OrderedDict[str, tuple[float, Medium]] = OrderedDict()
        self._bytes = 0

    def get(self, name: str) -> Medium | None:
        """The file, None where it is to be read."""
        found = self._files.get(name)
        if found is None:
            return None
        if self._clock() - found[0] >= _GOOD_FOR_S:
            self._drop(name)
            return None
        self._files.move_to_end(name)
        return found[1]

    def put(self, name: str, medium: Medium) -> None:
        """Remembers a file that was just read."""
        if name in self._files:
            self._drop(name)
        self._files[name] = (self._clock(), medium)
        self._bytes += len(medium.data)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._files)))

    def _drop(self, name: str) -> None:
        self._bytes -= len(self._files.pop(name)[1].data)
