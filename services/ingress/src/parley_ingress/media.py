"""Serves the files that go out to whoever has a signed link: Twilio, before it sends them on.

A few at a time, and nothing of what people sent. Whatever is refused is answered in JSON, and counted rather
than logged: anybody may ask as often as they like.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from parley_common.bus import BROKER_TROUBLE
from parley_common.media_links import MEDIA_PATH, MediaLinks, Verdict, is_out_name
from parley_common.media_store import MediaStore, Medium
from parley_common.metrics import begin
from parley_ingress.media_recent import Recent

_AT_ONCE = 8
"""Files in memory, from the broker until the client has them. Webhooks have the rest of the process."""

_PLACE_S = 5.0
_SEND_S = 30.0
_PIECE = 64 * 1024

log = structlog.get_logger(__name__)

_served = Counter("parley_media_requests", "Requests for files that go out, by status.", ["status"])
begin(_served, ("200", "403", "404", "503"))


class MediaServer:
    """The route of files."""

    def __init__(self, store: MediaStore, links: MediaLinks) -> None:
        self._store = store
        self._links = links
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._recent = Recent()

    def routes(self) -> list[Route]:
        """GET and HEAD of one file each; nothing lists them."""
        return [Route(f"{MEDIA_PATH}/{{name:path}}", _Endpoint(self), methods=["GET", "HEAD"])]

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        name, now = request.path_params["name"], datetime.now(UTC)
        verdict = self._links.verdict(name, request.query_params, now=now)
        if verdict is not Verdict.GENUINE:
            await _refuse(403, f"this link is {verdict.value}")(scope, receive, send)
        elif not is_out_name(name):
            await _refuse(404, "no such file")(scope, receive, send)
        else:
            headers = _headers(self._links.left_s(request.query_params, now=now))
            await self._serve(name, headers, scope, receive, send)

    async def _serve(self, name: str, headers: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(_PLACE_S):
                await self._places.acquire()
        except TimeoutError:
            await _refuse(503, "too many files are asked for at once")(scope, receive, send)
            return
        try:
            response = await self._response(name, headers, is_head=scope["method"] == "HEAD")
            async with asyncio.timeout(_SEND_S):
                await response(scope, receive, send)
        except TimeoutError:
            log.warning("a file was taken too slowly, the connection is closed")
        finally:
            self._places.release()

    async def _response(self, name: str, headers: dict[str, str], *, is_head: bool) -> Response:
        try:
            if is_head:
                held = await self._store.find(name)
                return _NOT_THERE if held is None else _head(held.content_type, held.size, headers)
            medium = await self._medium(name)
        except BROKER_TROUBLE as error:
            log.error("a file cannot be served", error=type(error).__name__)
            return _refuse(503, "the broker does not answer")
        return _NOT_THERE if medium is None else _Whole(medium, headers)

    async def _medium(self, name: str) -> Medium | None:
        """A broadcast asks for one file again and again: it is read from the broker once a while."""
        medium = self._recent.get(name)
        if medium is None:
            medium = await self._store.get(name)
            if medium is not None:
                self._recent.put(name, medium)
        return medium


class _Endpoint:
    """The server as Starlette takes it: an application, since a file holds its place until it is sent."""

    def __init__(self, server: MediaServer) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server.answer(scope, receive, _counted(send))


class _Whole(Response):
    """A file in pieces, so that the next is handed over only once the client has taken those before."""

    def __init__(self, medium: Medium, headers: dict[str, str]) -> None:
        super().__init__(medium.data, headers=headers | {"Content-Type": medium.content_type})

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = memoryview(self.body)
        for start in range(0, len(body), _PIECE):
            await send(
                {"type": "http.response.body", "body": bytes(body[start : start + _PIECE]), "more_body": True}
            )
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _head(content_type: str, size: int, headers: dict[str, str]) -> Response:
    return Response(headers=headers | {"Content-Type": content_type, "Content-Length": str(size)})


def _headers(left_s: int) -> dict[str, str]:
    """Nobody on the way keeps it longer than the link is good, and no browser runs it as a page of ours."""
    return {
        "Cache-Control": f"private, max-age={left_s}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _refuse(status: int, reason: str) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "1"} if status == 503 else {})
    return JSONResponse({"error": reason}, status, headers=headers)


def _counted(send: Send) -> Send:
    async def counting(message: Message) -> None:
        if message["type"] == "http.response.start":
            _served.labels(str(message["status"])).inc()
        await send(message)

    return counting


_NOT_THERE = _refuse(404, "no such file")
