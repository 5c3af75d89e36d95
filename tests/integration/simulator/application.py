"""A small web server in the place of the application: keeps what it is sent, answers as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar
from urllib.parse import parse_qsl

T = TypeVar("T")


@dataclass(frozen=True)
class Received:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]
    at: float


@dataclass(frozen=True)
class Reply:
    """One answer to give."""

    status: int = 200
    body: bytes = b"<Response/>"
    content_type: str = "text/xml"
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


class Application:
    """What arrived, and what to answer; with no reply planned it is an empty TwiML document."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.replies: dict[str, list[Reply]] = {}
        self.always: dict[str, Reply] = {}

    def plan(self, path: str, *replies: Reply) -> None:
        """Answer the next requests to this path with these replies, in order."""
        self.replies.setdefault(path, []).extend(replies)

    def at(self, path: str) -> list[Received]:
        """Return what arrived at a path, whatever its query."""
        return [one for one in self.received if one.path.partition("?")[0] == path]

    def next_reply(self, path: str) -> Reply:
        """Return the reply for a request."""
        planned = self.replies.get(path)
        return planned.pop(0) if planned else self.always.get(path, Reply())

    def wait_for(self, path: str, count: int, within_s: float = 8.0) -> list[Received]:
        """Return what arrived at a path once there are `count`, or fail."""
        return wait_until(lambda: self.at(path), lambda found: len(found) >= count, within_s)


def wait_until(read: Callable[[], T], done: Callable[[T], bool], within_s: float = 8.0) -> T:
    """Return what `read` gives once `done` likes it, or fail."""
    deadline = time.monotonic() + within_s
    while not done(value := read()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {value}")
        time.sleep(0.01)
    return value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    application: Application

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self._take(form)

    def do_GET(self) -> None:
        self._take({})

    def log_message(
        self,
        format: str,  # noqa: A002 - the name is http.server's
        *args: object,
    ) -> None:
        """Say nothing."""

    def _take(self, form: dict[str, str]) -> None:
        headers = dict(self.headers.items())
        self.application.received.append(Received(self.command, self.path, headers, form, time.monotonic()))
        reply = self.application.next_reply(self.path.partition("?")[0])
        time.sleep(reply.delay_s)
        try:
            self.send_response(reply.status)
            if reply.content_type:
                self.send_header("Content-Type", reply.content_type)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        except ConnectionError:
            self.close_connection = True


@contextmanager
def running_application() -> Iterator[Application]:
    """Serve an application on a free port for as long as the block runs."""
    application = Application()
    handler = type("Handler", (_Handler,), {"application": application})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    application.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield application
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
