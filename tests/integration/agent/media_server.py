"""A server in the place of Twilio's that hands out media as a test wants, and notes who asked how."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from harness.ports import free_port

HOST = "127.0.0.1"
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class MediaServer:
    """``asked``: path and login (``user:password``) of each request. ``most``: how many were open at once."""

    url: str
    answering: Answering
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    open: int = 0
    most: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Notes a request and answers it."""
        header = request.headers.get("Authorization", "")
        login = base64.b64decode(header.removeprefix("Basic ")).decode() or None
        self.asked.append((request.path, login))
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            return await self.answering(request)
        finally:
            self.open -= 1


def giving(data: bytes, content_type: str = "image/png", *, after_s: float = 0.0) -> Answering:
    """Answers with these bytes."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(after_s)
        return web.Response(body=data, content_type=content_type)

    return answer


def in_turn(*answers: web.Response | int) -> Answering:
    """One answer after the other, the last again and again; a number is a status."""
    left = list(answers)

    async def answer(_request: web.Request) -> web.StreamResponse:
        told = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(told, int):
            return web.Response(status=told)
        return web.Response(status=told.status, body=told.body, headers=dict(told.headers))

    return answer


@asynccontextmanager
async def media_server(answering: Answering) -> AsyncIterator[MediaServer]:
    """One on a port of its own, inside the block."""
    port = free_port()
    server = MediaServer(f"http://{HOST}:{port}", answering)
    application = web.Application()
    application.router.add_get("/{path:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    try:
        yield server
    finally:
        await runner.cleanup()
