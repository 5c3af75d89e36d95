"""Tasks that run beside a service's work until it stops. One that dies is heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial

import structlog

log = structlog.get_logger(__name__)


class Background:
    """The tasks of one service, each under a name."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Runs ``work``, which ends only where it is cancelled."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(partial(_tell, name))
        self._tasks[name] = task

    def problems(self) -> Sequence[str]:
        """The tasks that have ended though nobody stopped them."""
        return [f"{name} has ended: restart the service" for name, task in self._tasks.items() if task.done()]

    async def stop(self) -> None:
        """Cancels them and waits for their end."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(name: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.error("background task ended", task=name, exc_info=task.exception())
