"""A loop without waiting, and clocks that stand still until they are told to go on.

``VirtualLoop.settle`` runs the real coroutines until each of them waits for something. What happens next is for
the caller to choose: an answer, a fault, or that time passes.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import structlog

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class _NoWaiting(selectors.DefaultSelector):
    """Never waits: where the loop would, it stops."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing is ever ready from outside."""
        if timeout is None or timeout > 0.0:
            self.loop.next_timer_s = timeout
            self.loop.stop()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """``now_s``: the loop's time. ``next_timer_s``: how far off the next timer was when it settled, if any."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.next_timer_s: float | None = None
        selector = _NoWaiting()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds, the same until ``pass_time``."""
        return self.now_s

    def utc(self) -> datetime:
        """The wall clock, which goes with the loop's."""
        return START + timedelta(seconds=self.now_s - 1_000.0)

    def settle(self) -> None:
        """Runs everything that can run without time or answers."""
        self.run_forever()

    def pass_time(self, seconds: float) -> None:
        """Lets time pass; what was due meanwhile runs in the next ``settle``."""
        self.now_s += seconds + 1e-6

    def abandon(self) -> None:
        """Cancels whatever is left of a run."""
        for _ in range(3):
            for task in asyncio.all_tasks(self):
                task.cancel()
            self.settle()


@contextmanager
def virtual_time(errors: list[str]) -> Iterator[VirtualLoop]:
    """A loop whose time every module of Parley goes by; ``errors`` takes what is logged as such meanwhile."""
    loop = VirtualLoop()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return loop.utc().astimezone(tz)

    seconds = SimpleNamespace(**vars(time) | dict.fromkeys(("monotonic", "time"), loop.time))
    chance = SimpleNamespace(random=lambda: 0.5, uniform=lambda low, high: (low + high) / 2)
    seconds.clock_gettime = lambda _clock: loop.now_s

    def watch(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        errors.append(f"{event.get('event')} {sys.exc_info()[1]!r}")
        raise structlog.DropEvent

    patches = []
    for module in [module for name, module in sys.modules.items() if name.startswith("parley_")]:
        for name, real, virtual in (
            ("datetime", datetime, Clock),
            ("time", time, seconds),
            ("random", random, chance),
        ):
            if getattr(module, name, None) is real:
                patches.append(patch.object(module, name, virtual))
    structlog.configure(processors=[watch], wrapper_class=structlog.make_filtering_bound_logger(40))
    for one in patches:
        one.start()
    try:
        yield loop
    finally:
        for one in patches:
            one.stop()
        structlog.reset_defaults()
        loop.abandon()
        loop.close()
