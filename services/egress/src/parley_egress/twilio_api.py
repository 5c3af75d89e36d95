"""The POST to Twilio and what came of it, and Twilio's log of what was sent to somebody."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opentelemetry.trace import Span, SpanKind
from twilio.base.exceptions import TwilioException
from twilio.rest.api.v2010.account.message import MessageInstance

from parley_common import tracing
from parley_common.channels import Channel
from parley_common.media_links import MediaLinks
from parley_common.metrics import exemplar
from parley_common.tracing_attributes import TWILIO_MESSAGES, http_client
from parley_common.webhook_urls import status_callback_url
from parley_egress.listing import Log, Logged, NoLog
from parley_egress.metrics import SEND
from parley_egress.outcome import Created, InDoubt, Outcome, refused, unreachable
from parley_egress.settings import SendSettings
from parley_twilio.rest import (
    BROKEN_OFF,
    UNREACHABLE,
    UNREADABLE,
    TwilioRest,
    code_of,
    status_of,
)

_NEWEST = 100
_MOST = 1_000
_MENDED_LATER = frozenset({401, 403, 429})
"""Refusals that end when credentials are mended or the hurry is over."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One part as it goes to Twilio. A file in ``media_urls`` that Parley hosts gets its link at the POST."""

    part_id: str
    sender: str
    contact: str
    body: str
    posted_at: datetime
    media_urls: tuple[str, ...] = ()


class TwilioApi:
    """Sends parts for the channels it is asked for, over one pool of connections.

    Whoever sends takes one of the account's places first, before the attempt is written: waiting for a connection
    would eat into the time limit of the POST.
    """

    def __init__(self, settings: SendSettings, links: MediaLinks | None = None) -> None:
        self._public_url = settings.public_url
        self._links = links
        self._rest = TwilioRest(timeout_s=settings.post_timeout_s)

    async def open(self) -> None:
        """Makes the pool; must run inside the event loop."""
        await self._rest.open()

    async def close(self) -> None:
        """Closes the pool."""
        await self._rest.close()

    async def send(self, channel: Channel, text: Text) -> Outcome:
        """POSTs one message; every way in which that can end is an ``Outcome``."""
        with _span("POST", channel) as span:
            begun_s = time.monotonic()
            outcome = await self._post(channel, text)
            SEND.labels(type(outcome).__name__).observe(time.monotonic() - begun_s, exemplar())
            span.set_attribute("parley.outcome", type(outcome).__name__)
            if isinstance(outcome, Created):
                span.set_attribute("twilio.message_sid", outcome.sid)
            return outcome

    async def _post(self, channel: Channel, text: Text) -> Outcome:
        try:
            message = await self._rest.client(channel).messages.create_async(**self._parameters(text))
        except TwilioException as error:
            _note_refusal(error)
            return refused(status_of(error), code_of(error))
        except UNREACHABLE as error:
            return unreachable(_noted(error))
        except BROKEN_OFF as error:
            return InDoubt(reason=_noted(error))
        except UNREADABLE as error:
            # Twilio answered something that its own client could not read.
            return InDoubt(reason=f"unreadable answer: {_noted(error)}")
        if not message.sid:
            tracing.fail(tracing.current(), "no_sid")
            return InDoubt(reason="an answer without a SID")
        return Created(sid=message.sid, status=str(message.status))

    async def read_log(self, channel: Channel, contact: str, since: datetime) -> Log | NoLog:
        """The newest messages to a person in Twilio's log, back to ``since`` at least."""
        for most in (_NEWEST, _MOST):
            with _span("GET", channel):
                found = await self._list(channel, contact, most)
            if not isinstance(found, Log) or found.reaches(since, most):
                return found
        return NoLog(reason=f"more than {_MOST} texts to this person since then", for_good=True)

    async def _list(self, channel: Channel, contact: str, most: int) -> Log | NoLog:
        messages = self._rest.client(channel).messages
        try:
            rows = await messages.list_async(to=contact, limit=most, page_size=most)
            return Log(messages=tuple(_logged(row) for row in rows))
        except TwilioException as error:
            _note_refusal(error)
            status = status_of(error)
            return NoLog(
                reason=f"HTTP {status}", for_good=status in range(400, 500) and status not in _MENDED_LATER
            )
        except BROKEN_OFF as error:
            return NoLog(reason=_noted(error), for_good=False)
        except UNREADABLE as error:
            return NoLog(reason=f"unreadable answer: {_noted(error)}", for_good=True)

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
            parameters["media_url"] = [self._address(url, text.posted_at) for url in text.media_urls]
        return parameters

    def _address(self, url: str, posted_at: datetime) -> str:
        """Where Twilio fetches a medium. A link is good from this POST on, so each attempt has its own."""
        return url if self._links is None else self._links.url(self._public_url, url, now=posted_at)


def _span(method: str, channel: Channel) -> AbstractContextManager[Span]:
    attributes = http_client(channel.api_base_url, method=method, template=TWILIO_MESSAGES)
    return tracing.span(f"twilio {method} Messages", SpanKind.CLIENT, attributes=attributes)


def _note_refusal(error: TwilioException) -> None:
    """Has the span say how Twilio refused the request."""
    span, code = tracing.current(), code_of(error)
    tracing.fail(span, str(status_of(error)))
    if code is not None:
        span.set_attribute("twilio.error_code", code)


def _noted(error: Exception) -> str:
    """The type of the error, which the span says as well."""
    tracing.fail(tracing.current(), type(error).__name__)
    return type(error).__name__


def _logged(row: MessageInstance) -> Logged:
    return Logged(
        sid=row.sid or "",
        status=str(row.status),
        direction=str(row.direction),
        sender=row.from_,
        body=row.body or "",
        created_at=row.date_created,
    )
