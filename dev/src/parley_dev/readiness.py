"""How one sees that a process can do its work: its /readyz, the broker's greeting, or that it has ended.

Asks once and answers yes or no; how long to go on asking is the caller's matter.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from urllib.parse import urlsplit

_ANSWER_WITHIN_S = 2.0


@dataclass(frozen=True)
class AnswersHttp:
    """Ready when this address answers 200."""

    url: str


@dataclass(frozen=True)
class GreetsAsBroker:
    """Ready when this port greets as NATS does."""

    host: str
    port: int


@dataclass(frozen=True)
class HasEnded:
    """Not a service but a step: what comes after it waits for its end."""


Readiness = AnswersHttp | GreetsAsBroker | HasEnded


async def is_ready(readiness: Readiness) -> bool:
    """Whether it is so now. A step is never ready while it can be asked."""
    match readiness:
        case AnswersHttp(url):
            parts = urlsplit(url)
            request = f"GET {parts.path} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode()
            line = await _first_line(parts.hostname or "", parts.port or 80, request)
            return line.split()[1:2] == [b"200"]
        case GreetsAsBroker(host, port):
            return (await _first_line(host, port, b"")).startswith(b"INFO ")
        case HasEnded():
            return False


async def _first_line(host: str, port: int, request: bytes) -> bytes:
    """The first line of the answer, empty where there is none."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                return await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, ValueError):
        return b""
