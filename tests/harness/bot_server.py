"""An operator's own bot on a port of its own, which answers in whatever way a test wants, good or bad.

It runs in a thread, so that async tests and those without an event loop use it alike, ``with`` or ``async with``.
It verifies signatures by itself, and knows nothing of Parley but what ``docs/webhook-brain.md`` says.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SECRET = "whsec_" + base64.b64encode(b"the bot and Parley know this").decode()

_TOLERANCE_S = 300
_MOST_BYTES = 16 * 1024**2


@dataclass(frozen=True, kw_only=True)
class BotRequest:
    """A request that arrived. ``refusal``: why its signature proves nothing, empty where it does.

    ``peer``: the other end of its connection.
    """

    at_s: float
    peer: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    refusal: str

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer in full. ``pieces``: what the body is cut into, each after ``every_s``."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    pieces: int = 1
    every_s: float = 0.0


class HangUp(Exception):  # noqa: N818 - what the bot does, no fault
    """Raised by an answering function: the connection is closed, nothing is said."""


Answering = Callable[[BotRequest], object]
"""From a request to its answer, a ``Reply`` or what is sent as JSON. It may be async, and may raise ``HangUp``."""


def echo(request: BotRequest) -> object:
    """Says what the person wrote."""
    return {"messages": ["\n".join(request.json["texts"])]}


def says(*messages: object, **more: object) -> Answering:
    """The same messages to everybody."""
    return lambda _request: {"messages": list(messages), **more}


def replies(answer: object) -> Answering:
    """The same answer to everybody, as JSON or as a ``Reply``."""
    return lambda _request: answer


def fails(status: int, **headers: str) -> Answering:
    """A status of an error, with a page such as proxies have."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return replies(Reply(status=status, body=b"<h1>No.</h1>", content_type="text/html", headers=names))


def hangs_up(_request: BotRequest) -> object:
    """No answer at all."""
    raise HangUp


class BotServer:
    """The bot. ``script`` answers the first requests, one each; ``answering`` all others.

    Unsigned requests are 401 where the bot has a secret. ``requests``: all that came, those refused as well.
    """

    def __init__(self, answering: Answering = echo, *, secret: str | None = SECRET) -> None:
        self.answering = answering
        self.secret = secret
        self.script: deque[Answering] = deque()
        self.requests: list[BotRequest] = []
        self.at_once = self.most_at_once = 0
        self.origin, self._port = "", 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """Where turns are taken; any other path does as well."""
        return f"{self.origin}/turns"

    @property
    def turns(self) -> list[str]:
        """The ids of the turns that were asked, in order of the requests."""
        return [request.headers["webhook-id"] for request in self.requests]

    def start(self) -> None:
        """Starts it and waits until it listens; once more after a stop, at the same address."""
        started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        started.result(timeout=10)

    def stop(self) -> None:
        """Ends it, whatever it is answering."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)
        assert not self._thread.is_alive(), "the bot did not stop"
        self._thread = None

    def __enter__(self) -> BotServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> BotServer:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    async def _serve(self, started: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application(client_max_size=_MOST_BYTES)
        application.router.add_post("/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, backlog=2_048)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.origin, self._port = f"http://{host}:{port}", port
        started.set_result(None)
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._answer(request, await self._taken(request))
        finally:
            self.at_once -= 1

    async def _taken(self, request: web.Request) -> BotRequest:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        refusal = "" if self.secret is None else refusal_of(self.secret, headers, body)
        taken = BotRequest(
            at_s=time.monotonic(),
            peer=str(request.transport and request.transport.get_extra_info("peername")),
            path=request.path_qs,
            headers=headers,
            body=body,
            refusal=refusal,
        )
        self.requests.append(taken)
        return taken

    async def _answer(self, request: web.Request, taken: BotRequest) -> web.StreamResponse:
        if taken.refusal:
            return web.json_response({"error": taken.refusal}, status=401)
        answering = self.script.popleft() if self.script else self.answering
        try:
            answer = answering(taken)
            if isinstance(answer, Awaitable):
                answer = await answer
        except HangUp:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        reply = answer if isinstance(answer, Reply) else Reply(body=json.dumps(answer).encode())
        await asyncio.sleep(reply.after_s)
        return await _send(request, reply)


def running_bot(answering: Answering = echo, *, secret: str | None = SECRET) -> BotServer:
    """A bot that runs inside the block, ``with`` or ``async with``."""
    return BotServer(answering, secret=secret)


def refusal_of(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """Why a request is not from who knows the secret, empty where it is; as standardwebhooks.com describes it."""
    try:
        key, at, signatures = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        return f"no header {error}"
    if abs(time.time() - int(at)) > _TOLERANCE_S:
        return "too old or too new"
    known = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(known, f"{key}.{at}.".encode() + body, "sha256")
    wanted = "v1," + base64.b64encode(digest).decode()
    is_signed = any(hmac.compare_digest(wanted, one) for one in signatures.split(" "))
    return "" if is_signed else "signed by somebody else"


async def _send(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=dict(reply.headers))
    response.headers["Content-Type"] = reply.content_type
    response.content_length = len(reply.body)
    await response.prepare(request)
    size = -(-len(reply.body) // reply.pieces) or 1
    for start in range(0, len(reply.body), size):
        await asyncio.sleep(reply.every_s)
        await response.write(reply.body[start : start + size])
    await response.write_eof()
    return response
