"""Twilio's own client over one pool of connections, with our time limit, towards the channel's base URL.

The client never retries by itself: it would repeat a POST. What its exceptions mean is read here; what follows
from them is for the caller to say.
"""

from __future__ import annotations

import re
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from parley_common import tracing
from parley_common.channels import TWILIO_API, Channel
from parley_common.leases import boot_clock_s
from parley_common.tracing_attributes import STATUS_CODE

UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""No connection was made: not a byte of the request has left."""

BROKEN_OFF = (aiohttp.ClientError, TimeoutError, OSError)
"""The request may have arrived; no answer did."""

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What the client raises where Twilio's answer is not what it expects."""

_UNAUTHORIZED = 401
_ASK_AGAIN_WITHIN_S = 2.0
"""A POST must not leave long after it was decided on, be it for another token."""

_TWILIO_HOST = re.compile(r"https://[a-z]+\.twilio\.com")


class TwilioRest:
    """A client for each channel over one session."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[str, Client] = {}

    async def open(self) -> None:
        """Makes the pool; must run inside the event loop."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=self._timeout_s / 2),
            connector=aiohttp.TCPConnector(limit=0),  # callers bound what they ask at once, per account
        )

    async def close(self) -> None:
        """Closes the pool."""
        if self._session is not None:
            await self._session.close()

    def client(self, channel: Channel) -> Client:
        """The channel's client."""
        if self._session is None:
            raise RuntimeError("open() was not called")
        if channel.name not in self._clients:
            self._clients[channel.name] = Client(
                channel.account_sid,
                channel.auth_tokens[0],
                http_client=_HttpClient(self._session, channel),
            )
        return self._clients[channel.name]


def status_of(error: TwilioException) -> int:
    """The answer's HTTP status; the client's error for a list has it in the response among its arguments."""
    response = next((part for part in error.args if isinstance(part, Response)), None)
    status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else 500


def code_of(error: TwilioException) -> int | None:
    """Twilio's code; its client puts the HTTP status there when the body was not Twilio's."""
    code = getattr(error, "code", None)
    return code if isinstance(code, int) and code >= 1_000 else None


class _Session:
    """The session as Twilio's client uses it. It names no time limit, and aiohttp takes that for none at all."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, *, timeout: None, **kwargs: Any) -> aiohttp.ClientResponse:  # noqa: ASYNC109 - its name
        return await self._session.request(**kwargs)


class _HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc] # the twilio package is not typed
    """Twilio's client over our session, towards the channel's base URL, with whichever of its tokens is valid.

    A 401 was not processed, so that the next token may be tried: while one is rotated, Twilio says of neither
    when the other became valid.
    """

    def __init__(self, session: aiohttp.ClientSession, channel: Channel) -> None:
        super().__init__(pool_connections=False)
        self.session = _Session(session)
        self._channel = channel
        self._valid = 0

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        begun_s, first = boot_clock_s(), self._valid
        response = await self._ask(first, method, url, *args, **kwargs)
        for number in range(len(self._channel.auth_tokens)):
            if response.status_code != _UNAUTHORIZED or boot_clock_s() - begun_s > _ASK_AGAIN_WITHIN_S:
                break
            if number != first:
                response = await self._ask(number, method, url, *args, **kwargs)
        return response

    async def _ask(self, number: int, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """The answer to the token of this number, which is remembered where it is valid."""
        kwargs["auth"] = (self._channel.account_sid, self._channel.auth_tokens[number])
        response: Response = await super().request(method, self._ours(url), *args, **kwargs)
        if response.status_code != _UNAUTHORIZED:
            self._valid = number
        tracing.current().set_attribute(STATUS_CODE, response.status_code)
        return response

    def _ours(self, url: str) -> str:
        """The same path at the channel's base URL; Twilio's own hosts stay what they are."""
        base = self._channel.api_base_url
        return url if base == TWILIO_API else _TWILIO_HOST.sub(base, url, count=1)
