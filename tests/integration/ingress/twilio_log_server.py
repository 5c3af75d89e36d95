"""A server with Twilio's message log as a test wants it: any date, any trouble. It keeps what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.ports import free_port
from harness.waiting import wait_until
from integration.ingress.sender import ACCOUNT, NUMBER, PERSON, new_sid

SERVICE = "MG" + "c" * 32
_API = f"/2010-04-01/Accounts/{ACCOUNT}"


def row(at: datetime, body: str = "hello", **changes: Any) -> dict[str, Any]:
    """A row of the log, of a text that Twilio received then."""
    sample = {
        "sid": new_sid(),
        "account_sid": ACCOUNT,
        "direction": "inbound",
        "from": PERSON,
        "to": NUMBER,
        "body": body,
        "num_media": "0",
        "num_segments": "1",
        "messaging_service_sid": None,
        "status": "received",
        "date_created": format_datetime(at),
        "date_sent": format_datetime(at),
    }
    return {**sample, **changes}


@dataclass
class TwilioLogServer:
    """The server. ``rows`` are served newest first, in the order in which they stand here, reversed.

    ``trouble``: the HTTP status of every answer, ``slow_s``: how long each takes, ``most``: rows of a page,
    ``media``: media SIDs by message, ``media_trouble``: the status of every list of media.
    """

    url: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, list[str]] = field(default_factory=dict)
    pool: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    trouble: int = 0
    media_trouble: int = 0
    slow_s: float = 0.0
    most: int = 1_000
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def messages(self, request: Request) -> Response:
        """A page of the log."""
        query = dict(request.query_params)
        self.asked.append(query)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.slow_s):
                await self.over.wait()
        if self.trouble:
            return _error(self.trouble)
        newest = [one for one in reversed(self.rows) if one["to"] == query["To"]]
        start, size = int(query.get("PageToken", "0")), min(int(query["PageSize"]), self.most)
        more = start + size < len(newest)
        following = f"{_API}/Messages.json?{urlencode({**query, 'PageToken': start + size})}" if more else None
        return JSONResponse({"messages": newest[start : start + size], "next_page_uri": following, "page": 0})

    async def media_list(self, request: Request) -> Response:
        """What is attached to a text."""
        if self.media_trouble:
            return _error(self.media_trouble)
        sid = request.path_params["sid"]
        listed = [
            {"sid": one, "content_type": "image/png", "uri": f"{_API}/Messages/{sid}/Media/{one}.json"}
            for one in self.media[sid]
        ]
        return JSONResponse({"media_list": listed, "next_page_uri": None})

    async def pool_numbers(self, _request: Request) -> Response:
        """The numbers of the Messaging Service."""
        if self.trouble:
            return _error(self.trouble)
        numbers = [{"sid": f"PN{n:032x}", "phone_number": number} for n, number in enumerate(self.pool)]
        return JSONResponse({"phone_numbers": numbers, "meta": {"key": "phone_numbers", "next_page_url": None}})


def _error(status: int) -> Response:
    return JSONResponse({"code": 20_000 + status, "message": "no", "status": status}, status)


@asynccontextmanager
async def twilio_log_server() -> AsyncIterator[TwilioLogServer]:
    """The server, on a port of its own, inside the block."""
    port = free_port()
    server = TwilioLogServer(f"http://127.0.0.1:{port}")
    routes = [
        Route(f"{_API}/Messages.json", server.messages),
        Route(f"{_API}/Messages/{{sid}}/Media.json", server.media_list),
        Route(f"/v1/Services/{SERVICE}/PhoneNumbers", server.pool_numbers),
    ]
    running = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(running.serve())
    try:
        await wait_until(lambda: running.started, what="the server of the log")
        yield server
    finally:
        server.over.set()
        running.should_exit = True
        await serving
