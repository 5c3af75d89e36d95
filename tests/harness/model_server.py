"""A model server on loopback that answers what a test wants, to OpenAI's, Anthropic's and compatible clients.

Real HTTP, no model. Replies come from a queue, then from ``otherwise``: a reply or a function of what was asked.
``running_model_server`` is for tests with an event loop, ``blocking_model_server`` for those without; both are
asked over the network only, so that processes of the test may be told of ``base_url``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from anyio.from_thread import start_blocking_portal

from harness.model_replies import Reply, as_chat, as_message, says

_MOST_BYTES = 64_000_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that arrived."""

    at_s: float
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation as it was told."""
        return list(self.body["messages"])

    @property
    def system(self) -> str:
        """The prompt."""
        if "system" in self.body:
            told = self.body["system"]
            return told if isinstance(told, str) else "\n".join(part["text"] for part in told)
        return "\n".join(text_of(one) for one in self.messages if one["role"] in ("system", "developer"))

    @property
    def question(self) -> str:
        """The last words of the person."""
        return [text_of(one) for one in self.messages if one["role"] == "user"][-1]

    @property
    def tool_results(self) -> list[str]:
        """What tools have answered so far."""
        return [text_of(one) for one in self.messages if one["role"] == "tool"]

    @property
    def tools(self) -> dict[str, dict[str, Any]]:
        """The declared tools by name."""
        return {one["function"]["name"]: one["function"] for one in self.body.get("tools") or ()}

    @property
    def pictures(self) -> list[str]:
        """The data URLs of pictures."""
        parts = [part for one in self.messages for part in _parts(one)]
        return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


Answering = Reply | Callable[[Asked], Reply]


@dataclass
class ModelServer:
    """What came, and how the next requests are answered. ``listed``: what /models answers."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    script: deque[Answering] = field(default_factory=deque)
    otherwise: Answering = field(default_factory=lambda: says("Hello."))
    models: Sequence[str] = ("test-model",)
    listed: Reply | None = None
    times_listed: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def base_url(self) -> str:
        """As PARLEY_LLM_BASE_URL wants it."""
        return f"{self.url}/v1"

    def then(self, *replies: Answering) -> None:
        """These are the next answers."""
        self.script.extend(replies)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Takes a question."""
        body = json.loads(await request.read())
        asked = Asked(at_s=time.monotonic(), path=request.path, headers=dict(request.headers), body=body)
        self.asked.append(asked)
        answering = self.script.popleft() if self.script else self.otherwise
        reply = answering if isinstance(answering, Reply) else answering(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await _send(request, reply, str(body.get("model", "")))
        finally:
            self.at_once -= 1

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        """Tells which models there are."""
        self.times_listed += 1
        if self.listed is not None:
            return await _send(request, self.listed, "")
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.models]
        return web.json_response({"object": "list", "data": data})


def text_of(message: dict[str, Any]) -> str:
    """The words of a message, however they are wrapped."""
    return "\n".join(part["text"] for part in _parts(message) if part["type"] == "text")


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


async def _send(request: web.Request, reply: Reply, model: str) -> web.StreamResponse:
    await asyncio.sleep(reply.delay_s)
    if reply.cut:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    body = reply.body
    if reply.answer is not None:
        worded = as_message if request.path.endswith("/messages") else as_chat
        body = json.dumps(worded(reply.answer, model)).encode()
    return web.Response(
        status=reply.status, body=body, content_type=reply.content_type, headers=dict(reply.headers)
    )


@asynccontextmanager
async def running_model_server(*replies: Answering) -> AsyncIterator[ModelServer]:
    """A server on a port of its own."""
    server = ModelServer(script=deque(replies))
    application = web.Application(client_max_size=_MOST_BYTES)
    application.router.add_post("/v1/chat/completions", server.handle)
    application.router.add_post("/v1/messages", server.handle)
    application.router.add_get("/v1/models", server.list_models)
    async with served(application) as server.url:
        yield server


@contextmanager
def blocking_model_server(*replies: Answering) -> Iterator[ModelServer]:
    """The same in a thread, for a test without an event loop."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_model_server(*replies)) as server,
    ):
        yield server


@asynccontextmanager
async def served(application: web.Application) -> AsyncIterator[str]:
    """An application on a port of its own; gives its URL."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
