"""A server with the shape of Twilio's API that shares no code with the simulator: creates messages, calls back.

It signs with Twilio's own library, so that it proves both directions.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urldefrag

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from harness.ports import free_port
from harness.waiting import wait_until

API_PATH = "/2010-04-01/Accounts/{account}/Messages.json"


@dataclass
class TwilioShaped:
    """The server: what it was asked to send, and what its callbacks were answered."""

    account_sid: str
    token: str
    url: str
    created: list[dict[str, str]] = field(default_factory=list)
    callback_answers: list[int] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def create(self, request: Request) -> Response:
        """The create route."""
        wanted = "Basic " + base64.b64encode(f"{self.account_sid}:{self.token}".encode()).decode()
        if request.headers.get("authorization") != wanted or request.path_params["account"] != self.account_sid:
            return JSONResponse({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        sid = f"SM{next(self._count):032x}"
        self.created.append(form | {"sid": sid})
        task = asyncio.create_task(self._deliver(sid, form))
        self._tasks.add(task)
        return JSONResponse({"sid": sid, "status": "queued", "num_segments": "1"}, 201)

    async def post_signed(self, url: str, form: dict[str, str]) -> int:
        """POSTs a webhook as Twilio does; returns the status of the answer."""
        signature = RequestValidator(self.token).compute_signature(url, form)
        async with httpx.AsyncClient() as http:
            answer = await http.post(url, data=form, headers={"X-Twilio-Signature": signature})
        return answer.status_code

    async def _deliver(self, sid: str, form: dict[str, str]) -> None:
        for status in ("sent", "delivered"):
            report = {"MessageSid": sid, "MessageStatus": status, "AccountSid": self.account_sid}
            report |= {"From": form["From"], "To": form["To"]}
            self.callback_answers.append(await self.post_signed(urldefrag(form["StatusCallback"]).url, report))


@asynccontextmanager
async def twilio_shaped(account_sid: str, token: str) -> AsyncIterator[TwilioShaped]:
    """Such a server on a port of its own, inside the block."""
    port = free_port()
    twilio = TwilioShaped(account_sid, token, f"http://127.0.0.1:{port}")
    app = Starlette(routes=[Route(API_PATH, twilio.create, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        await wait_until(lambda: server.started, what="the Twilio-shaped server")
        yield twilio
    finally:
        server.should_exit = True
        await serving
