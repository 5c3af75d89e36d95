"""Connections to the bot, as many as turns are asked at once.

One pool of httpx2 looks through all its connections at every request: a thousand at once would cost more than ten
milliseconds of the processor each. So there are small pools, and a request goes to the first that has room: where
few turns are asked, they share few connections.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy

import httpx2

from parley_brains.origins import tell_no_urls

_POOLS, _EACH = 40, 25
MOST_CONNECTIONS = _POOLS * _EACH

_KEPT_OPEN_S = 4.0
"""Less than the 5 s after which most servers close an idle connection, so that few requests meet a closed one."""

_CONNECT_S = 5.0


class Connections:
    """Clients of httpx2 for one bot. They follow no redirect and keep no cookie."""

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None
        self._clients: list[httpx2.AsyncClient] = []
        self._busy: list[int] = []
        tell_no_urls()

    @contextmanager
    def one(self) -> Iterator[httpx2.AsyncClient]:
        """A client for one request; where all have as many as they may, it waits for the request before it."""
        number = self._first_free()
        self._busy[number] += 1
        try:
            yield self._clients[number]
        finally:
            self._busy[number] -= 1

    async def close(self) -> None:
        """Closes them all."""
        for client in self._clients:
            await client.aclose()

    def _first_free(self) -> int:
        for number, busy in enumerate(self._busy):
            if busy < _EACH:
                return number
        if len(self._clients) < _POOLS:
            self._clients.append(self._client())
            self._busy.append(0)
            return len(self._clients) - 1
        return self._busy.index(min(self._busy))

    def _client(self) -> httpx2.AsyncClient:
        self._tls = self._tls or httpx2.create_ssl_context()
        client = httpx2.AsyncClient(
            headers={"User-Agent": "Parley"},
            verify=self._tls,
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),
            limits=httpx2.Limits(
                max_connections=_EACH, max_keepalive_connections=_EACH, keepalive_expiry=_KEPT_OPEN_S
            ),
            follow_redirects=False,
        )
        # A cookie of one person's turn would go along with another's.
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client
