"""What a client may take of a service: time for a request's head and body, bytes of head, connections.

uvicorn sets no such limits, and answers malformed HTTP in ``text/plain``, which Twilio would text to the person.
Whatever is answered here is JSON and closes the connection; a request that is being answered is never spoken into.
"""

from __future__ import annotations

import asyncio
import os
import resource
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import ClassVar

import structlog
from prometheus_client import Counter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from parley_common.metrics import begin
from parley_common.settings import Environment, read_number, read_whole

MOST_HEAD_BYTES = 65_536
"""Of a request line and its headers, and of what surrounds the chunks of a body."""

_FILES_BESIDE = 128
"""Descriptors for what is no connection of a client: the broker, Twilio, files."""

log = structlog.get_logger(__name__)

_closed = Counter("parley_connections_closed", "Connections closed because a limit was reached.", ["limit"])
begin(_closed, ("connections", "head", "body", "malformed"))


@dataclass(frozen=True, kw_only=True)
class HttpLimits:
    """``head_s``: from the connection or the last answer to the end of a request's headers. ``body_s``: of a whole
    body, however it trickles. ``connections``: at once.
    """

    head_s: float = 10.0
    body_s: float = 10.0
    connections: int = 2_000


def read_http_limits(environment: Environment = os.environ) -> HttpLimits:
    """Reads them, or says what is wrong."""
    defaults = HttpLimits()
    return HttpLimits(
        head_s=read_number(environment, "PARLEY_HEAD_TIMEOUT_S", defaults.head_s, least=0.1),
        body_s=read_number(environment, "PARLEY_BODY_TIMEOUT_S", defaults.body_s, least=0.1),
        connections=read_whole(environment, "PARLEY_MOST_CONNECTIONS", defaults.connections, least=1),
    )


def protocol_for(limits: HttpLimits) -> type[asyncio.Protocol]:
    """The protocol for uvicorn's ``Config(http=…)`` that keeps to these limits."""
    return type("LimitedProtocol", (_LimitedProtocol,), {"limits": limits})


def fit_open_files(limits: HttpLimits) -> HttpLimits:
    """Lets the process open files for all connections; where that is not allowed, takes fewer connections."""
    wanted = limits.connections + _FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            fewer = max(1, soft - _FILES_BESIDE)
            log.warning("fewer connections than set: raise the limit of open files", connections=fewer)
            return replace(limits, connections=fewer)
    return limits


class _LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, impatient. One timer runs: for the next head, or for the body that follows it."""

    limits: ClassVar[HttpLimits]
    _timer: asyncio.TimerHandle | None = None
    _loose_bytes = 0
    _in_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            _closed.labels("connections").inc()
            transport.abort()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to no body: neither headers nor trailers may grow without end."""
        self._loose_bytes += len(data)
        super().data_received(data)
        if self._loose_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head")

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._loose_bytes = False, 0
        self._start_timer(self.limits.body_s, "body")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._loose_bytes = max(0, self._loose_bytes - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._loose_bytes = 0
        self._stop_timer()
        super().on_message_complete()
        if not self._is_answering():
            self._wait_for_head()  # it was answered before its body had come

    def on_response_complete(self) -> None:
        was_last = not self.pipeline
        super().on_response_complete()
        if was_last and self._timer is None and not self.transport.is_closing():
            self._wait_for_head()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's words for malformed HTTP, as JSON."""
        self._give_up(HTTPStatus.BAD_REQUEST, "malformed")

    def _unsupported_upgrade_warning(self) -> None:
        """A client that offers another protocol is answered in this one; that is no news."""

    def _wait_for_head(self) -> None:
        self._start_timer(self.limits.head_s, "head")

    def _start_timer(self, seconds: float, limit: str) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._give_up, HTTPStatus.REQUEST_TIMEOUT, limit)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _may_answer(self, status: HTTPStatus) -> bool:
        """Whether an answer would be taken for that of the request at fault, and not for another one's."""
        if self._is_answering():
            return self.cycle.more_body and not self.cycle.response_started and not self.pipeline
        return self._in_head or status is HTTPStatus.BAD_REQUEST

    def _give_up(self, status: HTTPStatus, limit: str) -> None:
        """Says what was wrong where somebody waits for it, and closes."""
        _closed.labels(limit).inc()
        if not self._may_answer(status):
            self.transport.abort()
            return
        if self._is_answering():
            self.cycle.disconnected = True  # whoever still works on it must not answer too
            self.cycle.message_event.set()
        self.transport.write(_answer(status))
        self.transport.close()


def _answer(status: HTTPStatus) -> bytes:
    body = f'{{"error": "{status.phrase}"}}'
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()
