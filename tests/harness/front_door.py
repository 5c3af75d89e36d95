"""One address before several ingress processes, as a load balancer is, that notes which texts were answered 200.

Knows HTTP and the MessageSid of a webhook; checks nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import aiohttp
from aiohttp import web

from harness.ports import free_port
from parley_dev.addresses import HOST
from parley_dev.readiness import AnswersHttp, is_ready

_NO_ANSWER_S = 15.0
_LOOK_EVERY_S = 0.5
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass
class FrontDoor:
    """``answered``: when each text's webhook was first answered 200, by its SID, in seconds since the epoch.

    ``backends`` are asked in turn; one that refuses the connection or whose /livez says nothing is passed over.
    """

    url: str
    backends: Sequence[str] = ()
    answered: dict[str, float] = field(default_factory=dict)
    _turns: itertools.count[int] = field(default_factory=itertools.count)
    _silent: set[str] = field(default_factory=set)

    async def handle(self, session: aiohttp.ClientSession, request: web.Request) -> web.Response:
        """Passes a request on and its answer back; 502 where nobody takes it."""
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        for backend in self._in_turn():
            try:
                return await self._pass_on(session, f"{backend}{request.raw_path}", request, headers, body)
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError):
                break  # it may have been taken: whoever asked decides what to do
        return web.Response(status=502)

    def _in_turn(self) -> list[str]:
        first = next(self._turns) % len(self.backends)
        turned = [*self.backends[first:], *self.backends[:first]]
        return [one for one in turned if one not in self._silent]

    async def watch(self) -> None:
        """Finds out who lives, until cancelled."""
        while True:
            lives = await asyncio.gather(*(is_ready(AnswersHttp(f"{one}/livez")) for one in self.backends))
            self._silent = {one for one, does in zip(self.backends, lives, strict=True) if not does}
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _pass_on(
        self,
        session: aiohttp.ClientSession,
        url: str,
        request: web.Request,
        headers: dict[str, str],
        body: bytes,
    ) -> web.Response:
        async with session.request(request.method, url, data=body, headers=headers) as answer:
            content = await answer.read()
        if answer.status == 200:
            self._note(body)
        return web.Response(status=answer.status, body=content, headers=_content_type(answer))

    def _note(self, body: bytes) -> None:
        form = parse_qs(body.decode(), keep_blank_values=True)
        if "MessageStatus" not in form:
            self.answered.setdefault(form["MessageSid"][0], time.time())


@asynccontextmanager
async def front_door() -> AsyncIterator[FrontDoor]:
    """One on a port of its own, inside the block. Set its ``backends`` before anybody knocks."""
    port = free_port()
    door = FrontDoor(f"http://{HOST}:{port}")
    timeout = aiohttp.ClientTimeout(total=_NO_ANSWER_S, sock_connect=2.0)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:

        async def handle(request: web.Request) -> web.Response:
            return await door.handle(session, request)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        watching = asyncio.create_task(door.watch())
        try:
            yield door
        finally:
            watching.cancel()
            await runner.cleanup()


def _content_type(answer: aiohttp.ClientResponse) -> dict[str, str]:
    found = answer.headers.get("Content-Type")
    return {"Content-Type": found} if found else {}
