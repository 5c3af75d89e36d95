"""Bytes on a socket, for requests that no HTTP client would make."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from integration.ingress.sender import FORM, INBOUND, PUBLIC_URL, Fields, sign

_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Wire:
    """A connection to an ingress."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Writes; the other side may have closed."""
        self.writer.write(data)
        try:
            await self.writer.drain()
        except ConnectionError:
            return

    async def answer(self) -> bytes:
        """One answer with its body, empty where the connection ends instead."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                head = await self.reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 100 "):
                    head = await self.reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                return head + await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self.reader.read()
        except ConnectionError:
            return b""


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[Wire]:
    """A connection inside the block."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


def post(fields: Fields, path: str = INBOUND, *, signature: str | None = None, extra: bytes = b"") -> bytes:
    """A signed POST as bytes. ``extra``: more header lines, each with its end."""
    body = urlencode(fields).encode()
    signed = signature if signature is not None else sign(PUBLIC_URL + path, fields)
    return head(path, signed, extra + f"Content-Length: {len(body)}\r\n".encode()) + body


def head(path: str = INBOUND, signature: str = "", extra: bytes = b"") -> bytes:
    """The head of a POST of a form."""
    lines = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nX-Twilio-Signature: {signature}\r\n"
    return lines.encode("latin-1") + extra + b"\r\n"


def status_of(answer: bytes) -> int:
    """The status of an answer."""
    return int(answer.split(b" ", 2)[1])
