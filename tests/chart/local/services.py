"""A Service's address: each new connection goes to one of the pods that are ready, in turn."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable, Sequence

from chart.local.addresses import HOST
from harness.ports import free_port

_CHUNK = 65_536


class Balancer:
    """Listens for one port of a Service. ``endpoints`` says, at each connection, which ports may get it."""

    def __init__(self, endpoints: Callable[[], Sequence[int]]) -> None:
        self.port = free_port()
        self._endpoints = endpoints
        self._turns = itertools.count()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._take, HOST, self.port)

    async def stop(self) -> None:
        """Takes no further connection, and ends those there are."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports = self._endpoints()
        try:
            if not ports:
                raise ConnectionRefusedError
            there = await asyncio.open_connection(HOST, ports[next(self._turns) % len(ports)])
        except OSError:
            _reset(writer)
            return
        await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the reader's side ends; the end is passed on as well."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # the other direction sees it as well
    finally:
        writer.transport.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """What a client sees where nothing listens, as near as an accepted connection can come to it."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
