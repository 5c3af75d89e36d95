"""Tasks beside a service's work until it stops. One that dies is heard of; one that goes on is told again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

import structlog

_TELL_AGAIN_S = 2.0

log = structlog.get_logger(__name__)


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks until the last has ended. What they raised is for whoever asks them; nobody needs to.

    Once is not enough: until Python 3.12 ``asyncio.wait_for`` swallows a cancellation that comes with its result.
    """
    ended = set(tasks)
    going_on = {task for task in ended if not task.done()}
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=_TELL_AGAIN_S)
    for task in ended:
        if not task.cancelled():
            task.exception()  # retrieved, or Python complains of it


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
        await end(tasks)


def _tell(name: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.error("background task ended", task=name, exc_info=task.exception())
