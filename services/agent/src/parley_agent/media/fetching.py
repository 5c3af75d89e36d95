"""Fetches an attachment from Twilio: redirects followed by hand, the address that was checked is the one asked.

Nothing is kept here, and nothing of what was fetched is logged.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import httpx2

from parley_agent.media.sources import IpAddress, NotAllowed, is_public, origin, own_origin, source, target
from parley_common.channels import Channel
from parley_common.domain.media_limits import MOST_BYTES

_PAUSES_S = (1.0, 3.0)
"""Before the second and the third try: Twilio tells of media that it does not have yet."""

_EXCHANGE_S = 8.0
"""One way through all redirects, body included."""

_MOST_REDIRECTS = 4
_CONNECT_S = 4.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNAUTHORIZED = frozenset({401, 403})

Login = tuple[str, str]
T = TypeVar("T")


class NotHad(Exception):  # noqa: N818 - an answer, not a fault
    """The attachment cannot be had; the message says why, naming neither person nor address."""


@dataclass(frozen=True)
class _Again:
    """Another try may do better. ``login``: with other credentials, at once."""

    reason: str
    login: bool = False
    most_tries: int = len(_PAUSES_S) + 1


class Fetcher:
    """Asks Twilio, and the servers it redirects to, over connections that are used once."""

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
        self._transport = transport or httpx2.AsyncHTTPTransport(limits=limits, trust_env=False, retries=0)

    async def close(self) -> None:
        """Closes what is open."""
        await self._transport.aclose()

    async def fetch(
        self,
        url: str,
        channel: Channel,
        message_sid: str,
        keep: Callable[[bytes], Awaitable[T]],
        *,
        place: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> T:
        """What ``keep`` makes of the bytes, which are in memory only within a ``place``; none is held in a pause.

        Raises ``NotHad``, at once where trying again would change nothing.
        """
        try:
            first = source(url, channel, message_sid)
        except NotAllowed as error:
            raise NotHad(str(error)) from None
        logins: list[Login | None] = [(channel.account_sid, token) for token in channel.auth_tokens]
        logins.append(None)  # some accounts want no credentials, and refuse them
        tries = 0
        while True:
            async with place():
                found = await self._try(first, channel, logins[0])
                if isinstance(found, bytes):
                    return await keep(found)
            if found.login and len(logins) > 1:
                logins.pop(0)
                continue
            tries += 1
            if found.login or tries >= found.most_tries:
                raise NotHad(found.reason)
            await asyncio.sleep(_PAUSES_S[tries - 1])

    async def _try(self, first: httpx2.URL, channel: Channel, login: Login | None) -> bytes | _Again:
        try:
            async with asyncio.timeout(_EXCHANGE_S):
                return await self._follow(first, channel, login)
        except NotAllowed as error:
            raise NotHad(str(error)) from None
        except (httpx2.HTTPError, OSError) as error:  # a time limit is an OSError too
            return _Again(f"it could not be fetched: {type(error).__name__}", most_tries=2)

    async def _follow(self, first: httpx2.URL, channel: Channel, login: Login | None) -> bytes | _Again:
        here, own = first, own_origin(channel)
        for _ in range(_MOST_REDIRECTS + 1):
            if origin(here) != origin(first):
                login = None  # and never again, wherever it leads from there
            request = await _request(here, login, checked=origin(here) != own)
            response = await self._transport.handle_async_request(request)
            try:
                if response.status_code not in _REDIRECTS:
                    return await _read(response)
                here = target(here, response.headers.get("Location", ""), channel)
            finally:
                await response.aclose()
        raise NotHad(f"it is behind more than {_MOST_REDIRECTS} redirects")


async def _request(url: httpx2.URL, login: Login | None, *, checked: bool) -> httpx2.Request:
    host = url.raw_host.decode("ascii")
    headers = {"Host": url.netloc.decode("ascii"), "Accept": "*/*", "Accept-Encoding": "identity"}
    if login is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    limits = {"connect": _CONNECT_S, "read": _EXCHANGE_S, "write": _EXCHANGE_S, "pool": _EXCHANGE_S}
    extensions = {"timeout": limits, "sni_hostname": host}
    asked = url.copy_with(host=str(await _public_address(url))) if checked else url
    return httpx2.Request("GET", asked, headers=headers, extensions=extensions)


async def _public_address(url: httpx2.URL) -> IpAddress:
    """One address of the host, of IPv4 where there is one: content servers have IPv6 that leads nowhere."""
    port = origin(url)[2]
    found = await asyncio.get_running_loop().getaddrinfo(url.raw_host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise NotAllowed("its host is not of the public internet")
    return min(addresses, key=lambda address: address.version)


async def _read(response: httpx2.Response) -> bytes | _Again:
    status = response.status_code
    if status in _UNAUTHORIZED:
        return _Again(f"HTTP {status}", login=True)
    if status in (404, 408, 425, 429) or status >= 500:
        return _Again(f"HTTP {status}")
    if status != 200:
        raise NotHad(f"HTTP {status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotHad("it came compressed")
    data = bytearray()
    async for piece in response.aiter_raw():
        data += piece
        if len(data) > MOST_BYTES:
            raise NotHad(f"it is larger than {MOST_BYTES} bytes")
    return bytes(data)
