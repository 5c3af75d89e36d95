"""The shell every service runs in: settings errors as one sentence, logs, traces, health, an orderly end.

A service brings its routes and what to start and stop. ``/livez`` answers while the event loop turns, ``/readyz``
says whether the service can do its work, ``/metrics`` is for Prometheus.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import http
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Protocol

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ExceptionHandler

from parley_common.background import end
from parley_common.http_limits import fit_open_files, protocol_for, read_http_limits
from parley_common.logs import start_logging
from parley_common.metrics import exposition, show_build
from parley_common.settings import SettingsError
from parley_common.shared_settings import Common, read_common
from parley_common.tracing import start_tracing, stop_tracing

log = structlog.get_logger(__name__)


class Work(Protocol):
    """What a service does beside answering HTTP."""

    async def start(self) -> None:
        """Begins the work; may wait for the broker for as long as it takes."""

    async def stop(self, grace_s: float) -> None:
        """Ends it within the grace period, losing and repeating nothing."""

    async def problems(self) -> Sequence[str]:
        """Why the service can't do its work now; empty where it can."""


@dataclass(kw_only=True)
class Service:
    """A service: its name, the variable of its port and the port, its work and its routes.

    ``failed`` is set where its work could not start.
    """

    name: str
    port_variable: str
    port: int
    work: Work
    routes: Sequence[BaseRoute] = field(default=())
    failed: bool = False


def run(build: Callable[[Common], Service], description: str | None) -> None:
    """Runs the service that ``build`` makes from the common settings, until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        description=description, epilog="All settings come from the environment; the README lists them."
    ).parse_args()
    try:
        common, limits = read_common(), read_http_limits()
        service = build(common)
        listener = _listen(common.host, service)
        start_logging(service.name, readable=common.readable_logs)
        start_tracing(service.name)
    except SettingsError as error:
        sys.exit(str(error))
    show_build(service.name)
    grace = _Grace(common.grace_s)
    config = uvicorn.Config(
        _application(service, grace),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(common.grace_s),
        server_header=False,
        http=protocol_for(fit_open_files(limits)),
        ws="none",
    )
    server = _Server(config, grace)
    _survive_own_end(server)
    server.run(sockets=[listener])
    stop_tracing()
    if service.failed:
        sys.exit(1)


class _Grace:
    """The time for an orderly end, from its beginning on: open requests take of it, and then the work."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began_s: float | None = None

    def begin(self) -> None:
        """The end has begun."""
        self._began_s = time.monotonic()

    def left_s(self) -> float:
        """What is left of it, a second at least."""
        spent_s = 0.0 if self._began_s is None else time.monotonic() - self._began_s
        return max(1.0, self._seconds - spent_s)


class _Server(uvicorn.Server):
    """A server that notes when its end begins."""

    def __init__(self, config: uvicorn.Config, grace: _Grace) -> None:
        super().__init__(config)
        self._grace = grace

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins the grace period, then ends as uvicorn does: open requests first, and then the work."""
        self._grace.begin()
        await super().shutdown(sockets)


def _survive_own_end(server: uvicorn.Server) -> None:
    """uvicorn sends itself the signal that ended it once more when all is stopped; what follows must still run.

    Before it has started it hears no signal: then there is nothing to end in order.
    """

    def hear(_number: int, _frame: FrameType | None) -> None:
        if not server.started:
            sys.exit()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)


def _application(service: Service, grace: _Grace) -> Starlette:
    async def readyz(_request: Request) -> Response:
        problems = list(await service.work.problems())
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        starting = asyncio.create_task(service.work.start())
        starting.add_done_callback(partial(_end_if_failed, service))
        log.info("listening", port=service.port)
        yield
        await end([starting])
        await service.work.stop(grace.left_s())
        log.info("stopped")

    health = [Route("/livez", _livez), Route("/readyz", readyz), Route("/metrics", _metrics)]
    handlers: dict[type[Exception], ExceptionHandler] = {HTTPException: _refuse, Exception: _refuse}
    application = Starlette(routes=[*health, *service.routes], lifespan=lifespan, exception_handlers=handlers)
    application.router.redirect_slashes = False  # it would take the client's Host at its word
    return application


async def _refuse(_request: Request, error: Exception) -> Response:
    """JSON, never text: Twilio would send a text to the person."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    return JSONResponse({"error": http.HTTPStatus(status).phrase}, status, headers=headers)


async def _livez(_request: Request) -> Response:
    return JSONResponse({"alive": True})


async def _metrics(request: Request) -> Response:
    content, kind = exposition(request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": kind})


def _end_if_failed(service: Service, starting: asyncio.Task[None]) -> None:
    """A service whose start failed ends, so that whoever supervises it sees that and starts another."""
    if not starting.cancelled() and (error := starting.exception()) is not None:
        if isinstance(error, SettingsError):
            log.error(str(error))  # one sentence: the trace would tell nothing more
        else:
            log.error("start failed", exc_info=error)
        service.failed = True
        os.kill(os.getpid(), signal.SIGTERM)


def end_process() -> None:
    """Ends this process in order: what is wrong with it only a new one mends."""
    os.kill(os.getpid(), signal.SIGTERM)


def _listen(host: str, service: Service) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, service.port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise SettingsError(f"{service.name} cannot listen on {host}: {error.strerror}") from None
        raise SettingsError(
            f"port {service.port} is taken: end what uses it or set {service.port_variable} to another port"
        ) from None
    listener.listen()
    listener.setblocking(False)  # noqa: FBT003 - the standard library takes it so
    return listener
