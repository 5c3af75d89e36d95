"""The webhooks: verify, translate, publish, and only then answer.

Whatever cannot be verified is 403, whatever the broker does not hold is 503. No answer is ``text/plain``, since
Twilio would text it to the person.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from parley_common import topology, tracing
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.identity import Identity
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

_webhooks = Counter("parley_webhooks", "Webhooks answered, by kind and status.", ["kind", "status"])

_EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

Handle = Callable[[Request, Form, Receipt, float], Awaitable[None]]


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
        deadline_s = self.budgets.deadline_s(request.headers.get("i-twilio-idempotency-token"), time.monotonic())
        try:
            form = await read_form(request)
            channel = self._verified_channel(kind, request, form)
            receipt = Receipt(channel=channel, identity=self.identity, at=datetime.now(UTC))
            await handle(request, form, receipt, deadline_s)
            response = Response(_EMPTY_TWIML, media_type="text/xml")
        except Refused as refused:
            log.warning("webhook refused", kind=kind, status=refused.status, reason=str(refused))
            response = JSONResponse({"error": str(refused)}, refused.status)
        except NotHeld as error:
            log.error("webhook answered 503", kind=kind, reason=str(error))
            response = _not_held(str(error))
        except Exception:  # whatever it was, the broker may not hold the webhook, and 503 says just that
            log.exception("webhook answered 503", kind=kind)
            response = _not_held("ingress could not store this: its log says why")
        _webhooks.labels(kind, str(response.status_code)).inc()
        return response

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
        with tracing.span(
            "webhook inbound", SpanKind.SERVER, attributes={"parley.conversation": message.conversation}
        ):
            change = consent_change(form, message, receipt)
            if change is not None:
                await self.publisher.hold(partial(self.consent.record, change), deadline_s)
            await self.publisher.publish(topology.texts(message.conversation), message, deadline_s)
            log.info("text accepted", sid=message.id, conversation=message.conversation)

    async def _take_report(self, request: Request, form: Form, receipt: Receipt, deadline_s: float) -> None:
        query = request.query_params
        report = delivery_report(form, part_of_query(query), receipt)
        with tracing.span(
            "webhook status",
            SpanKind.SERVER,
            parent=tracing.extract(trace_of_query(query)),
            attributes={"parley.conversation": report.conversation, "twilio.status": report.status},
        ):
            change = reported_opt_out(form, report, receipt, posted_at_of_query(query))
            if change is not None:
                await self.publisher.hold(partial(self.consent.record, change), deadline_s, kind=Kind.REPORT)
            subject = topology.reports(report.conversation, report.part_id or report.sid)
            await self.publisher.publish(subject, report, deadline_s, kind=Kind.REPORT)
            log.info("status accepted", sid=report.sid, status=report.status)
            if not form.get("To"):
                log.warning("this status callback does not say about whom it is", sid=report.sid)


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
