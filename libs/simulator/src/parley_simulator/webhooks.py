"""Delivering webhooks over HTTP as Twilio does: signed, limited in time, retried, then the fallback.

Knows how to deliver a form and what went wrong; knows nothing of what the form means.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from parley_simulator.account import Account
from parley_simulator.bodies import read_at_most
from parley_simulator.exchange_failures import Exchange, failure_of_error, failure_of_status
from parley_simulator.faults import Fault, FaultScript, Place, Subject
from parley_simulator.overrides import Overrides, split_overrides
from parley_simulator.request_log import Complaint, Entry, Kind, RequestLog, without_secrets
from parley_simulator.seats import Seats
from parley_simulator.signatures import sign
from parley_simulator.tuning import Tuning
from parley_simulator.twiml import MAX_BYTES

_AT_ONCE = 256
_PLACES = {Kind.WEBHOOK: Place.WEBHOOK, Kind.CALLBACK: Place.CALLBACK}


@dataclass(frozen=True, slots=True)
class Webhook:
    """One thing to tell the application; `url` still has its fragment."""

    kind: Kind
    sid: str
    url: str
    form: Mapping[str, str]
    method: str = "POST"
    fallback_url: str = ""
    fallback_method: str = "POST"
    subject: Subject = field(default_factory=Subject)
    on_retry: Callable[[Exchange], None] | None = None
    """Called with a failed exchange when another attempt follows."""


class Courier:
    """Posts webhooks, several at a time."""

    def __init__(
        self, account: Account, faults: FaultScript, *, log: RequestLog, tuning: Callable[[], Tuning]
    ) -> None:
        self._account = account
        self._faults = faults
        self._log = log
        self._tuning = tuning
        self._session: aiohttp.ClientSession | None = None
        self._seats = {kind: Seats(_AT_ONCE) for kind in _PLACES}

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP client, also used to fetch media."""
        if self._session is None:
            # Servers close idle connections after a few seconds; leaving first avoids false failures.
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2.0)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
            )
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def deliver(self, webhook: Webhook) -> Exchange:
        """Deliver to the URL, then to the fallback; return the last exchange and log all of them."""
        async with self._seats[webhook.kind]:
            last = await self._try_url(webhook)
            if last.failure is None:
                return last
            self._complain(webhook, last)
            if not webhook.fallback_url:
                return last
            fallback = _to_fallback(webhook, last)
            last = await self._try_url(fallback)
            if last.failure is not None:
                self._complain(fallback, last)
            return last

    async def _try_url(self, webhook: Webhook) -> Exchange:
        url, overrides = split_overrides(webhook.url)
        token = str(uuid.uuid4())
        deadline = time.monotonic() + overrides.total_s
        attempt = 1
        while True:
            last = await self._attempt(webhook, url, limits=_limits(overrides, deadline), token=token)
            self._write(webhook, url, exchange=last, attempt=attempt)
            pause_s = self._tuning().retry_pause_s
            out_of_time = time.monotonic() + pause_s >= deadline
            if last.failure not in overrides.policy or attempt > overrides.retries or out_of_time:
                return replace(last, attempts=attempt)
            if webhook.on_retry:
                webhook.on_retry(replace(last, attempts=attempt))
            await asyncio.sleep(pause_s)
            attempt += 1

    async def _attempt(self, webhook: Webhook, url: str, *, limits: aiohttp.ClientTimeout, token: str) -> Exchange:
        started = time.perf_counter()
        try:
            exchange = await self._request(webhook, url, limits=limits, token=token)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            exchange = failure_of_error(error)
        lost = self._faults.draw(_PLACES[webhook.kind], webhook.subject, {Fault.LOST_ANSWER})
        if lost:
            exchange = failure_of_error(TimeoutError("the answer was lost by a scripted fault"))
        return replace(exchange, ms=(time.perf_counter() - started) * 1000)

    async def _request(self, webhook: Webhook, url: str, *, limits: aiohttp.ClientTimeout, token: str) -> Exchange:
        form = dict(webhook.form)
        encoded = urlencode(form)
        body: bytes | None = encoded.encode()
        if webhook.method == "GET":
            url, form, body = f"{url}{'&' if '?' in url else '?'}{encoded}", {}, None
        headers = sign(self._account, url, form) | {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Home-Region": "us1",
            "I-Twilio-Idempotency-Token": token,
        }
        async with self.session.request(
            webhook.method, URL(url, encoded=True), data=body, headers=headers, timeout=limits
        ) as response:
            answer = await read_at_most(response, MAX_BYTES)
            return Exchange(
                status=response.status,
                failure=failure_of_status(response.status),
                code=11200 if response.status >= 400 else 0,
                words=f"the server answered {response.status}" if response.status >= 400 else "",
                content_type=response.headers.get("Content-Type"),
                body=answer,
            )

    def _write(self, webhook: Webhook, url: str, *, exchange: Exchange, attempt: int) -> None:
        self._log.write(
            Entry(
                number=self._log.next_number(),
                at=time.time(),
                kind=webhook.kind,
                method=webhook.method,
                url=without_secrets(url),
                status=exchange.status,
                ms=round(exchange.ms, 1),
                attempt=attempt,
                sid=webhook.sid,
                note=exchange.words or webhook.subject.status,
            )
        )

    def _complain(self, webhook: Webhook, exchange: Exchange) -> None:
        self._log.complain(
            Complaint(
                number=self._log.next_number(),
                at=time.time(),
                code=exchange.code,
                words=exchange.words,
                sid=webhook.sid,
                url=without_secrets(webhook.url),
            )
        )


def _limits(overrides: Overrides, deadline: float) -> aiohttp.ClientTimeout:
    left_s = max(deadline - time.monotonic(), 0.05)
    return aiohttp.ClientTimeout(
        total=left_s,
        sock_connect=min(overrides.connect_s, left_s),
        sock_read=min(overrides.read_s, left_s),
    )


def _to_fallback(webhook: Webhook, last: Exchange) -> Webhook:
    form = dict(webhook.form) | {"ErrorCode": str(last.code), "ErrorUrl": webhook.url.partition("#")[0]}
    return replace(webhook, url=webhook.fallback_url, method=webhook.fallback_method, form=form, fallback_url="")
