"""Bounded waits on a condition, so that no test sleeps and hopes."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar, overload

import anyio

T = TypeVar("T")

_FIRST_S = 0.02
_MOST_S = 0.2
_GROWTH = 1.4
"""From one look to the next: soon at first; then the processor is left to what is waited for."""


@overload
async def wait_until(
    condition: Callable[[], Awaitable[T]], timeout_s: float = 10.0, *, what: str = "the condition"
) -> T: ...


@overload
async def wait_until(condition: Callable[[], T], timeout_s: float = 10.0, *, what: str = "the condition") -> T: ...


async def wait_until(
    condition: Callable[[], object], timeout_s: float = 10.0, *, what: str = "the condition"
) -> object:
    """Returns the condition's first true value; fails the test after ``timeout_s``. The condition may be async."""
    deadline_s = time.monotonic() + timeout_s
    pauses_s = _pauses_s()
    while True:
        asked = condition()
        value = await asked if inspect.isawaitable(asked) else asked
        if value:
            return value
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what} did not come true within {timeout_s:g} s; it was {value!r}")
        await anyio.sleep(next(pauses_s))


def wait_until_blocking(condition: Callable[[], T], timeout_s: float = 10.0, *, what: str = "the condition") -> T:
    """The same for tests without an event loop, such as those that drive a browser."""
    deadline_s = time.monotonic() + timeout_s
    pauses_s = _pauses_s()
    while not (value := condition()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"{what} did not come true within {timeout_s:g} s; it was {value!r}")
        time.sleep(next(pauses_s))
    return value


def _pauses_s() -> Iterator[float]:
    pause_s = _FIRST_S
    while True:
        yield pause_s
        pause_s = min(pause_s * _GROWTH, _MOST_S)
