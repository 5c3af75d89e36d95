"""Egress that freezes itself once, at a point of its first POST that a signal from outside could not hit.

Run as a program. ``FREEZE_AT`` says where: ``before_check``, after the attempt was written and before the clock is
looked at for the last time; ``after_check``, after that look and before the request to Twilio.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from parley_common.service import run
from parley_egress.__main__ import build
from parley_egress.desk import Grant
from parley_egress.twilio_api import TwilioApi

P = ParamSpec("P")
R = TypeVar("R")


class _Once:
    """Freezes this process when first asked to."""

    def __init__(self) -> None:
        self._done = False

    def freeze(self) -> None:
        """Returns once somebody has sent SIGCONT."""
        if not self._done:
            self._done = True
            os.kill(os.getpid(), signal.SIGSTOP)


def _freezing_after(work: Callable[P, Coroutine[Any, Any, R]], once: _Once) -> Callable[P, Coroutine[Any, Any, R]]:
    async def wrapped(*arguments: P.args, **named: P.kwargs) -> R:
        result = await work(*arguments, **named)
        once.freeze()
        return result

    return wrapped


def _freezing_before(
    work: Callable[P, Coroutine[Any, Any, R]], once: _Once
) -> Callable[P, Coroutine[Any, Any, R]]:
    async def wrapped(*arguments: P.args, **named: P.kwargs) -> R:
        once.freeze()
        return await work(*arguments, **named)

    return wrapped


def _main() -> None:
    match os.environ["FREEZE_AT"]:
        case "before_check":
            # Paying is the last thing before the look at the clock.
            Grant.pay = _freezing_after(Grant.pay, _Once())  # type: ignore[method-assign]
        case "after_check":
            TwilioApi.send = _freezing_before(TwilioApi.send, _Once())  # type: ignore[method-assign]
        case other:
            raise ValueError(f"FREEZE_AT is {other!r}: write before_check or after_check")
    run(build, __doc__)


if __name__ == "__main__":
    _main()
