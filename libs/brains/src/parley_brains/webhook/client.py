"""Asks the bot by HTTP: bounded in time and size, again where that may help, always with the same body."""

from __future__ import annotations

import asyncio
import random
import re
import time
from datetime import UTC, datetime

import httpx2
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from parley_brains.brain import BrainFailed
from parley_brains.webhook.bot import Bot
from parley_brains.webhook.connections import Connections
from parley_brains.webhook.retries import Failed, may_repeat, refused, wait_s
from parley_brains.webhook.settings import Webhook
from parley_brains.webhook.signing import signed_headers
from parley_common import tracing
from parley_common.tracing_attributes import STATUS_CODE, http_client

MOST_BYTES = 262_144
"""Of an answer: ten messages of any length that a phone takes, many times over."""

_NOT_TAKEN = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_TIMEOUT = "timeout"
_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}", re.IGNORECASE)

_trace_context = TraceContextTextMapPropagator()


class Client:
    """Connections to one bot."""

    def __init__(self, bot: Bot, settings: Webhook) -> None:
        self._bot = bot
        self._settings = settings
        self._connections = Connections()
        self._attributes = http_client(bot.url, method="POST")

    async def ask(self, body: bytes, key: str, *, within_s: float) -> bytes | None:
        """The body of the bot's answer, None where it says that there is none; raises ``BrainFailed``.

        ``within_s``: how long all requests of the turn may take together, in seconds.
        """
        deadline_s = time.monotonic() + within_s
        tries = 0
        while True:
            tries += 1
            try:
                return await self._traced(body, key, tries, deadline_s)
            except Failed as failed:
                wait = wait_s(
                    failed,
                    tries,
                    retries=self._settings.retries,
                    left_s=deadline_s - time.monotonic(),
                    chance=random.random(),  # noqa: S311 - spreads retries
                )
                if wait is None:
                    timed_out = failed.error == _TIMEOUT
                    raise BrainFailed(self._told(failed.reason, tries), timed_out=timed_out) from None
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Closes its connections."""
        await self._connections.close()

    def _told(self, reason: str, tries: int) -> str:
        return f"the bot at {self._bot.origin} {reason}" + (f" ({tries} requests)" if tries > 1 else "")

    async def _traced(self, body: bytes, key: str, tries: int, deadline_s: float) -> bytes | None:
        resent = {"http.request.resend_count": tries - 1} if tries > 1 else {}
        with tracing.span("brain webhook", SpanKind.CLIENT, attributes={**self._attributes, **resent}) as span:
            try:
                return await self._post(body, key, deadline_s, span)
            except Failed as failed:
                tracing.fail(span, failed.error)
                raise

    async def _post(self, body: bytes, key: str, deadline_s: float, span: Span) -> bytes | None:
        limit_s = min(self._settings.request_timeout_s, max(0.0, deadline_s - time.monotonic()))
        try:
            async with asyncio.timeout(limit_s):
                return await self._exchange(body, key, span)
        except TimeoutError:
            again = may_repeat(self._settings.form, taken=True)
            raise Failed(f"did not answer within {limit_s:.3g} s", error=_TIMEOUT, again=again) from None
        except _NOT_TAKEN as error:
            why = f": {error}" if str(error) else ""
            raise Failed(f"cannot be reached{why}", error=type(error).__name__, again=True) from None
        except httpx2.TransportError as error:
            again = may_repeat(self._settings.form, taken=True)
            reason = "closed the connection before it had answered"
            raise Failed(reason, error=type(error).__name__, again=again) from None

    async def _exchange(self, body: bytes, key: str, span: Span) -> bytes | None:
        headers = self._headers(body, key)
        with self._connections.one() as http:
            async with http.stream("POST", self._bot.url, content=body, headers=headers) as response:
                span.set_attribute(STATUS_CODE, response.status_code)
                return await self._read(response)

    async def _read(self, response: httpx2.Response) -> bytes | None:
        if not response.is_success:
            retry_after = response.headers.get("retry-after")
            raise refused(response.status_code, retry_after, self._settings.form, datetime.now(UTC))
        if response.status_code == httpx2.codes.NO_CONTENT:
            return None
        _refuse_foreign(response)
        return await _body(response)

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        carrier: dict[str, str] = {}
        _trace_context.inject(carrier)
        return {
            **self._bot.headers,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Idempotency-Key": key,
            **signed_headers(self._bot.secrets, key, int(time.time()), body),
            **carrier,
        }


def _refuse_foreign(response: httpx2.Response) -> None:
    """Raises ``Failed`` for what is not JSON as it is written, such as a page of a proxy."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    if not _JSON.fullmatch(media_type):
        named = media_type.lower() if _MEDIA_TYPE.fullmatch(media_type) else "something of no known type"
        raise Failed(f"answered {named} where application/json is wanted", error="content_type")
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Failed("answered compressed, against Accept-Encoding: identity", error="content_encoding")


async def _body(response: httpx2.Response) -> bytes:
    """The body, if it is not too large; what is too large is not read to its end."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Failed(f"answered more than {MOST_BYTES} bytes", error="too_large")
    return bytes(body)
