"""A service with nothing to do, as a program: the shell under test. ``SHELL_*`` say how its work behaves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from parley_common import tracing
from parley_common.service import Service, run
from parley_common.settings import read_port
from parley_common.shared_settings import Common

log = structlog.get_logger(__name__)


class IdleWork:
    """Starts, fails to start or waits for ever, as ``SHELL_START`` says."""

    def __init__(self) -> None:
        self._started = False

    async def start(self) -> None:
        """Begins."""
        if os.environ.get("SHELL_START") == "fails":
            raise RuntimeError("no work today")
        if os.environ.get("SHELL_START") == "waits":
            await asyncio.Event().wait()
        self._started = True
        with tracing.span("started"):
            log.info("work began")

    async def stop(self, grace_s: float) -> None:
        """Ends."""
        log.info("work ended", grace_s=grace_s)

    async def problems(self) -> Sequence[str]:
        """Not ready before it has begun."""
        return [] if self._started else ["waiting to begin"]


async def hello(_request: Request) -> Response:
    """A route of the service's own."""
    return PlainTextResponse("hello")


async def slow(_request: Request) -> Response:
    """Answers once there is a file of the name that ``SHELL_GATE`` says."""
    log.info("slow request began")
    while not Path(os.environ["SHELL_GATE"]).exists():  # noqa: ASYNC240 - it is quick, and nobody else waits
        await asyncio.sleep(0.02)
    return PlainTextResponse("slow")


def build(_common: Common) -> Service:
    """The service."""
    port = read_port(os.environ, "SHELL_PORT", 8099)
    return Service(
        name="shell",
        port_variable="SHELL_PORT",
        port=port,
        work=IdleWork(),
        routes=[Route("/hello", hello), Route("/slow", slow)],
    )


if __name__ == "__main__":
    run(build, __doc__)
