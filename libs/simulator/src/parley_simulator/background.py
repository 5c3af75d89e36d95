"""Work that goes on after a request was answered: tasks and timers that end with the simulator.

Knows when things run; knows nothing of what they do.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from parley_simulator.messages import Message


class Background:
    """Tasks and timers of one running simulator; `clear` ends all that are not done."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._epoch = 0

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine; its errors reach the event loop's handler."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def later(self, delay_s: float, step: Callable[[Message], None], message: Message) -> None:
        """Call `step(message)` after a while, unless `clear` came first."""
        epoch = self._epoch
        asyncio.get_running_loop().call_later(delay_s, self._run, epoch, step, message)

    def clear(self) -> None:
        """Cancel tasks and forget timers."""
        self._epoch += 1
        for task in list(self._tasks):
            task.cancel()

    def _run(self, epoch: int, step: Callable[[Message], None], message: Message) -> None:
        if epoch == self._epoch:
            step(message)
