"""The computer of a small shop, which the tools of an agent ask: the state of an order, and returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from anyio.from_thread import start_blocking_portal

from harness.model_server import served

KEY = "shop-key-5f1c"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that arrived, with the path as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Shop:
    """``states``: of orders by number. ``instead``: makes the answer to everything, where a test wants so."""

    url: str = ""
    states: dict[str, str] = field(default_factory=lambda: {"1001": "on its way", "1002": "delivered"})
    asked: list[Asked] = field(default_factory=list)
    returns: dict[str, str] = field(default_factory=dict)
    instead: Callable[[], web.Response] | None = None
    delay_s: float = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        """Takes a request."""
        body = await request.json() if request.can_read_body else None
        asked = Asked(method=request.method, path=request.raw_path, headers=dict(request.headers), body=body)
        self.asked.append(asked)
        await asyncio.sleep(self.delay_s)
        if self.instead is not None:
            return self.instead()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"error": "who are you?"}, status=401)
        if request.method == "POST":
            return self._take_back(asked)
        number = request.match_info["rest"].rpartition("/")[2]
        state = self.states.get(number)
        if state is None:
            return web.json_response({"error": "no such order"}, status=404)
        return web.json_response({"order": number, "state": state})

    def _take_back(self, asked: Asked) -> web.Response:
        """Once for each idempotency key."""
        label = self.returns.setdefault(asked.headers["Idempotency-Key"], f"R{len(self.returns) + 1}")
        return web.json_response({"label": label}, status=201)


@asynccontextmanager
async def running_shop() -> AsyncIterator[Shop]:
    """A shop on a port of its own."""
    shop = Shop()
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", shop.handle)
    async with served(application) as shop.url:
        yield shop


@contextmanager
def blocking_shop() -> Iterator[Shop]:
    """The same in a thread, for a test without an event loop."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running_shop()) as shop:
        yield shop
