"""The POST to Twilio through its own client, and what came of it. Only this file knows the vendor's library.

The client never retries by itself (it would repeat the POST), has our time limit, and speaks to the channel's
base URL.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
from opentelemetry.trace import SpanKind
from twilio.base.exceptions import TwilioException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from parley_common import tracing
from parley_common.channels import TWILIO_API, Channel
from parley_common.webhook_urls import status_callback_url
from parley_egress.listing import Log, Logged, NoLog
from parley_egress.outcome import Created, InDoubt, Outcome, refused, unreachable
from parley_egress.settings import SendSettings

_NEWEST = 100
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, kw_only=True)
class Text:
    """One part as it goes to Twilio."""

    part_id: str
    sender: str
    contact: str
    body: str
    posted_at: datetime
    media_urls: tuple[str, ...] = ()


class TwilioApi:
    """Sends parts for the channels it is asked for, over one pool of connections.

    Whoever sends takes a place in ``room`` first, before the attempt is written: waiting for a connection would
    eat into the time limit of the POST.
    """

    def __init__(self, settings: SendSettings) -> None:
        self._public_url = settings.public_url
        self._timeout_s = settings.post_timeout_s
        self._concurrency = settings.concurrency
        self._rooms: dict[str, asyncio.Semaphore] = {}
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[str, Client] = {}

    async def open(self) -> None:
        """Makes the pool; must run inside the event loop."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=self._timeout_s / 2),
            connector=aiohttp.TCPConnector(limit=0),  # room() is the limit, for each account by itself
        )

    def room(self, channel: Channel) -> asyncio.Semaphore:
        """The account's places: one that hangs takes none from another."""
        return self._rooms.setdefault(channel.account_sid, asyncio.Semaphore(self._concurrency))

    async def close(self) -> None:
        """Closes the pool."""
        if self._session is not None:
            await self._session.close()

    async def send(self, channel: Channel, text: Text) -> Outcome:
        """POSTs one message; every way in which that can end is an ``Outcome``."""
        with tracing.span("twilio POST Messages", SpanKind.CLIENT) as span:
            outcome = await self._post(channel, text)
            span.set_attribute("parley.outcome", type(outcome).__name__)
            if isinstance(outcome, Created):
                span.set_attribute("twilio.message_sid", outcome.sid)
            return outcome

    async def _post(self, channel: Channel, text: Text) -> Outcome:
        try:
            message = await self._client(channel).messages.create_async(**self._parameters(text))
        except TwilioException as error:
            return refused(_status(error), _code(error))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return unreachable(type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return InDoubt(reason=type(error).__name__)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # Twilio answered something that its own client could not read.
            return InDoubt(reason=f"unreadable answer: {type(error).__name__}")
        if not message.sid:
            return InDoubt(reason="an answer without a SID")
        return Created(sid=message.sid, status=str(message.status))

    async def read_log(self, channel: Channel, contact: str) -> Log | NoLog:
        """The newest messages to a person in Twilio's log."""
        try:
            rows = await self._client(channel).messages.list_async(to=contact, limit=_NEWEST)
            return Log(messages=tuple(_logged(row) for row in rows))
        except TwilioException as error:
            status = _status(error)
            return NoLog(
                reason=f"HTTP {status}", for_good=status in range(400, 500) and status != _TOO_MANY_REQUESTS
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return NoLog(reason=type(error).__name__, for_good=False)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return NoLog(reason=f"unreadable answer: {type(error).__name__}", for_good=True)

    def _parameters(self, text: Text) -> dict[str, Any]:
        headers: dict[str, str] = {}
        tracing.inject(headers)
        by_service = text.sender.startswith("MG")
        parameters: dict[str, Any] = {
            "to": text.contact,
            "messaging_service_sid" if by_service else "from_": text.sender,
            "status_callback": status_callback_url(
                self._public_url, text.part_id, headers, posted_at=text.posted_at
            ),
        }
        if text.body:
            parameters["body"] = text.body
        if text.media_urls:
            parameters["media_url"] = list(text.media_urls)
        return parameters

    def _client(self, channel: Channel) -> Client:
        if self._session is None:
            raise RuntimeError("open() was not called")
        if channel.name not in self._clients:
            self._clients[channel.name] = Client(
                channel.account_sid,
                channel.auth_tokens[0],
                http_client=_HttpClient(self._session, channel.api_base_url),
            )
        return self._clients[channel.name]


class _Session:
    """The session as Twilio's client uses it. It names no time limit, and aiohttp takes that for none at all."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, *, timeout: None, **kwargs: Any) -> aiohttp.ClientResponse:  # noqa: ASYNC109 - its name
        return await self._session.request(**kwargs)


class _HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc] # the twilio package is not typed
    """Twilio's client over our session and towards our base URL."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        super().__init__(pool_connections=False)
        self.session = _Session(session)
        self._base_url = base_url

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        return await super().request(method, url.replace(TWILIO_API, self._base_url, 1), *args, **kwargs)


def _logged(row: MessageInstance) -> Logged:
    return Logged(
        sid=row.sid or "",
        status=str(row.status),
        direction=str(row.direction),
        sender=row.from_,
        body=row.body or "",
        created_at=row.date_created,
    )


def _status(error: TwilioException) -> int:
    """The answer's HTTP status; the client's error for a list has it in the response among its arguments."""
    response = next((part for part in error.args if isinstance(part, Response)), None)
    status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else 500


def _code(error: TwilioException) -> int | None:
    """Twilio's code; its client puts the HTTP status there when the body was not Twilio's."""
    code = getattr(error, "code", None)
    return code if isinstance(code, int) and code >= 1_000 else None
