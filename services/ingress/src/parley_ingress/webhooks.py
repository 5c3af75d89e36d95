"""The webhooks: verify, translate, publish, and only then answer.

Whatever cannot be verified is 403, whatever the broker does not hold is 503. No answer is ``text/plain``, since
Twilio would text it to the person.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

import structlog
from opentelemetry.trace import Span, SpanKind
from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parley_common import topology, tracing, tracing_attributes
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.identity import Identity
from parley_common.metrics import WEBHOOK_BUCKETS_S, begin, exemplar
from parley_common.webhook_urls import INBOUND_PATH, STATUS_PATH, part_of_query, posted_at_of_query, trace_of_query
from parley_ingress.forms import Form, Refused, read_form
from parley_ingress.publishing import Budgets, Kind, NotHeld, Publisher
from parley_ingress.signature import Verdict
from parley_ingress.translation import (
    Receipt,
    consent_change,
    delivery_report,
    inbound_message,
    reported_opt_out,
)
from parley_ingress.verification import verify_webhook

log = structlog.get_logger(__name__)

_KINDS = ("inbound", "status")
_webhooks = Counter("parley_webhooks", "Webhooks answered, by kind and status.", ["kind", "status"])
_seconds = Histogram(
    "parley_webhook_seconds", "From a webhook's head to its answer.", ["kind"], buckets=WEBHOOK_BUCKETS_S
)
begin(_webhooks, _KINDS, ("200", "400", "403", "413", "415", "503"))
begin(_seconds, _KINDS)

_EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

Handle = Callable[[Request, Form, Receipt, float], Awaitable[None]]


@dataclass(frozen=True)
class _Opened:
    """A webhook whose signature was verified."""

    form: Form
    receipt: Receipt


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Answers Twilio."""

    public_url: str
    channels: Channels
    identity: Identity
    publisher: Publisher
    consent: ConsentLedger
    budgets: Budgets

    def routes(self) -> list[Route]:
        """The two webhooks, for GET and POST."""

        async def inbound(request: Request) -> Response:
            return await self._answer("inbound", request, self._take_text)

        async def status(request: Request) -> Response:
            return await self._answer("status", request, self._take_report)

        methods = ["GET", "POST"]
        return [Route(INBOUND_PATH, inbound, methods=methods), Route(STATUS_PATH, status, methods=methods)]

    async def _answer(self, kind: str, request: Request, handle: Handle) -> Response:
        begun_s, begun_ns = time.monotonic(), time.time_ns()
        deadline_s = self.budgets.deadline_s(request.headers.get("i-twilio-idempotency-token"), begun_s)
        opened = await self._open(kind, request)
        with self._span(kind, request, begun_ns, genuine=isinstance(opened, _Opened)) as span:
            response = await self._respond(kind, request, opened, handle, deadline_s)
            span.set_attribute(tracing_attributes.STATUS_CODE, response.status_code)
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                tracing.fail(span, str(response.status_code))
            _webhooks.labels(kind, str(response.status_code)).inc()
            _seconds.labels(kind).observe(time.monotonic() - begun_s, exemplar())
        return response

    async def _open(self, kind: str, request: Request) -> _Opened | Exception:
        """What came, once its signature is verified; otherwise why it is refused."""
        try:
            form = await read_form(request)
            channel = self._verified_channel(kind, request, form)
        except Exception as error:
            return error
        return _Opened(form, Receipt(channel=channel, identity=self.identity, at=datetime.now(UTC)))

    def _span(self, kind: str, request: Request, begun_ns: int, *, genuine: bool) -> AbstractContextManager[Span]:
        """The span of a webhook. Only an address that was signed, and so made by us, may name its trace."""
        cause, query = tracing.Cause(parent=tracing.ROOT), request.query_params
        if genuine and kind == "status":
            cause = tracing.cause(trace_of_query(query), posted_at_of_query(query))
        return tracing.span(
            f"webhook {kind}",
            SpanKind.SERVER,
            parent=cause.parent,
            links=cause.links,
            attributes=tracing_attributes.http_server(
                self.public_url, method=request.method, route=INBOUND_PATH if kind == "inbound" else STATUS_PATH
            ),
            begun_ns=begun_ns,
        )

    async def _respond(
        self, kind: str, request: Request, opened: _Opened | Exception, handle: Handle, deadline_s: float
    ) -> Response:
        if isinstance(opened, Exception):
            return _refusal(kind, opened)
        try:
            await handle(request, opened.form, opened.receipt, deadline_s)
        except Exception as error:
            return _refusal(kind, error)
        return Response(_EMPTY_TWIML, media_type="text/xml")

    def _verified_channel(self, kind: str, request: Request, form: Form) -> Channel:
        """Whose webhook it is, once its signature is verified. What it says of itself is only a way to look up."""
        ours = "To" if kind == "inbound" else "From"
        service = form.get("MessagingServiceSid") or None
        channel = self.channels.of_webhook(form.get("AccountSid"), form.get(ours), service)
        if channel is None:
            raise Refused(403, _unknown_channel(form, ours))
        verdict = verify_webhook(request, form, channel, self.public_url)
        if verdict is not Verdict.GENUINE:
            raise Refused(403, f"signature is {verdict.value}: check TWILIO_AUTH_TOKEN and PARLEY_PUBLIC_URL")
        return channel

    async def _take_text(self, _request: Request, form: Form, receipt: Receipt, deadline_s: float) -> None:
        message = inbound_message(form, receipt)
        tracing.current().set_attribute("parley.conversation", message.conversation)
        change = consent_change(form, message, receipt)
        if change is not None:
            await self.publisher.hold(partial(self.consent.record, change), deadline_s)
        await self.publisher.publish(topology.texts(message.conversation), message, deadline_s)
        log.info("text accepted", sid=message.id, conversation=message.conversation)

    async def _take_report(self, request: Request, form: Form, receipt: Receipt, deadline_s: float) -> None:
        query = request.query_params
        report = delivery_report(form, part_of_query(query), receipt)
        tracing.current().set_attributes(
            {"parley.conversation": report.conversation, "twilio.status": report.status}
        )
        change = reported_opt_out(form, report, receipt, posted_at_of_query(query))
        if change is not None:
            await self.publisher.hold(partial(self.consent.record, change), deadline_s, kind=Kind.REPORT)
        subject = topology.reports(report.conversation, report.part_id or report.sid)
        await self.publisher.publish(subject, report, deadline_s, kind=Kind.REPORT)
        log.info("status accepted", sid=report.sid, status=report.status)
        if not form.get("To"):
            log.warning("this status callback does not say about whom it is", sid=report.sid)


def _refusal(kind: str, error: Exception) -> Response:
    """The answer where a webhook is not accepted. Its reason is logged."""
    if isinstance(error, Refused):
        log.warning("webhook refused", kind=kind, status=error.status, reason=str(error))
        return JSONResponse({"error": str(error)}, error.status)
    if isinstance(error, NotHeld):
        log.error("webhook answered 503", kind=kind, reason=str(error))
        return _not_held(str(error))
    # Whatever it was, the broker may not hold the webhook, and 503 says just that.
    log.error("webhook answered 503", kind=kind, exc_info=error)
    return _not_held("ingress could not store this: its log says why")


def _not_held(reason: str) -> Response:
    return JSONResponse({"error": reason}, 503, headers={"Retry-After": "1"})


def _unknown_channel(form: Form, ours: str) -> str:
    """Why no channel was found, and what to do about it. Names fields and settings, never what they hold."""
    if not form.get("AccountSid"):
        return "field AccountSid is missing or blank: every webhook of Twilio has it; what sent this is not Twilio"
    if not form.get(ours) and not form.get("MessagingServiceSid"):
        return (
            f"fields {ours} and MessagingServiceSid are missing or blank: one of them says whose webhook this is"
        )
    return f"no channel has this account and {ours}: set TWILIO_ACCOUNT_SID and the number or Messaging Service"
