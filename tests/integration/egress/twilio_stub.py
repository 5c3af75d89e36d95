"""The two requests egress makes of Twilio, answered in whatever way a test wants, good or bad.

Knows nothing of Parley but the ``part`` in a StatusCallback. The whole of Twilio is in ``parley_simulator``.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

MESSAGES = "/2010-04-01/Accounts/{account}/Messages.json"


@dataclass(frozen=True, kw_only=True)
class Post:
    """A request that arrived."""

    at_s: float
    at: datetime
    account: str
    authorization: str
    form: Mapping[str, str]

    @property
    def body(self) -> str:
        """The text."""
        return str(self.form.get("Body", ""))

    @property
    def part_id(self) -> str:
        """The part that the StatusCallback names."""
        return parse_qs(urlsplit(str(self.form["StatusCallback"])).query)["part"][0]


Answer = Callable[["TwilioStub", web.Request, Post], Awaitable[web.StreamResponse]]


@dataclass
class TwilioStub:
    """What came, what was created, and how the next requests are answered."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    created: list[Post] = field(default_factory=list)
    log_reads: int = 0
    log_status: int = 200
    logged: list[dict[str, object]] = field(default_factory=list)
    script: deque[Answer] = field(default_factory=deque)
    otherwise: Answer = field(default=lambda stub, request, post: create(stub, request, post))
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def create(self, post: Post) -> str:
        """Makes the message and returns its SID."""
        self.created.append(post)
        sid = f"SM{next(self._numbers):032x}"
        self.log(post, sid)
        return sid

    def log(self, post: Post, sid: str, **changes: object) -> None:
        """Puts a message into the log."""
        message: dict[str, object] = {
            "sid": sid,
            "to": post.form["To"],
            "from": post.form.get("From"),
            "body": post.body,
            "direction": "outbound-api",
            "status": "sent",
            "date_created": format_datetime(post.at),
        }
        self.logged.insert(0, message | changes)

    async def show_log(self, request: web.Request) -> web.StreamResponse:
        """Lists what was sent to a person, newest first, or refuses to."""
        self.log_reads += 1
        if self.log_status != 200:
            return web.json_response({"code": 20_000 + self.log_status, "message": "no"}, status=self.log_status)
        found = [message for message in self.logged if message["to"] == request.query["To"]]
        return web.json_response({"messages": found, "next_page_uri": None, "page": 0})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Takes a create."""
        post = Post(
            at_s=time.monotonic(),
            at=datetime.now(UTC),
            account=request.match_info["account"],
            authorization=request.headers.get("Authorization", ""),
            form={name: str(value) for name, value in (await request.post()).items()},
        )
        self.posts.append(post)
        answer = self.script.popleft() if self.script else self.otherwise
        return await answer(self, request, post)


async def create(stub: TwilioStub, _request: web.Request, post: Post) -> web.StreamResponse:
    """Creates the message and says so."""
    return web.json_response({"sid": stub.create(post), "status": "queued"}, status=201)


def refuse(status: int, code: int) -> Answer:
    """An error as Twilio words it; nothing is created."""

    async def answer(_stub: TwilioStub, _request: web.Request, _post: Post) -> web.StreamResponse:
        return web.json_response({"code": code, "message": "no", "status": status}, status=status)

    return answer


def say(status: int, text: str, content_type: str = "text/html", *, creates: bool = False) -> Answer:
    """An answer in words that are not Twilio's, after the message was created or not."""

    async def answer(stub: TwilioStub, _request: web.Request, post: Post) -> web.StreamResponse:
        if creates:
            stub.create(post)
        return web.Response(status=status, text=text, content_type=content_type)

    return answer


def cut_off(*, creates: bool) -> Answer:
    """The connection ends without an answer, after the message was created or not."""

    async def answer(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
        if creates:
            stub.create(post)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def hang(*, creates: bool) -> Answer:
    """No answer ever, after the message was created or not."""

    async def answer(stub: TwilioStub, _request: web.Request, post: Post) -> web.StreamResponse:
        if creates:
            stub.create(post)
        await asyncio.Event().wait()
        return web.Response()

    return answer


def slowly(delay_s: float, then: Answer = create) -> Answer:
    """The same answer, late."""

    async def answer(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
        await asyncio.sleep(delay_s)
        return await then(stub, request, post)

    return answer


def after(first: Callable[[Post], Awaitable[object]], then: Answer) -> Answer:
    """An answer that comes once something else has happened."""

    async def answer(stub: TwilioStub, request: web.Request, post: Post) -> web.StreamResponse:
        await first(post)
        return await then(stub, request, post)

    return answer


@asynccontextmanager
async def running_stub() -> AsyncIterator[TwilioStub]:
    """A stub on a port of its own."""
    stub = TwilioStub()
    application = web.Application()
    application.router.add_post(MESSAGES, stub.handle)
    application.router.add_get(MESSAGES, stub.show_log)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    stub.url = f"http://{host}:{port}"
    try:
        yield stub
    finally:
        await runner.cleanup()
