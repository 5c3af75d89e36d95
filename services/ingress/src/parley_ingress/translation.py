"""Twilio's form fields become Parley's events. Pure: what comes in is verified, what goes out is an event."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from parley_common.channels import Channel
from parley_common.domain.keywords import classify_keyword
from parley_common.domain.phone_numbers import is_toll_free
from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    DeliveryReport,
    InboundMessage,
    Keyword,
    Media,
    report_id,
)
from parley_common.identity import Identity
from parley_ingress.forms import Form, Refused

MOST_MEDIA = 10
_OPTED_OUT = 21610
_MESSAGE_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
_STATUS = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a webhook's translation needs beside its form: whose it is, and when it came."""

    channel: Channel
    identity: Identity
    at: datetime


def inbound_message(form: Form, receipt: Receipt) -> InboundMessage:
    """The text a person sent. Raises ``Refused`` where a field that every text has is missing."""
    contact = _required(form, "From")
    return InboundMessage(
        id=_sid(form),
        at=receipt.at,
        channel=receipt.channel.name,
        conversation=receipt.identity.conversation(receipt.channel.name, contact),
        account_sid=_required(form, "AccountSid"),
        contact=contact,
        recipient=_required(form, "To"),
        messaging_service_sid=form.get("MessagingServiceSid") or None,
        body=form.get("Body"),
        media=_media(form),
        keyword=_keyword(form),
        segments=_whole_number(form, "NumSegments", 1),
        profile_name=form.get("ProfileName") or None,
        answered_by_twilio=form.get("OptOutType") in Keyword.__members__,
    )


def consent_change(form: Form, message: InboundMessage, receipt: Receipt) -> ConsentChanged | None:
    """What the text says about consent, None where it says nothing."""
    if message.keyword not in (Keyword.STOP, Keyword.START):
        return None
    return ConsentChanged(
        id=f"consent-{message.id}",
        at=receipt.at,
        channel=message.channel,
        conversation=message.conversation,
        scope=receipt.channel.sender_for(message.recipient),
        contact=message.contact,
        granted=message.keyword is Keyword.START,
        cause=ConsentCause.OPT_OUT_TYPE if form.get("OptOutType") else ConsentCause.KEYWORD,
    )


def delivery_report(form: Form, part_id: str | None, receipt: Receipt) -> DeliveryReport:
    """The status callback. The same report sent twice has the same id.

    One that does not say about whom it is stands in the conversation of nobody: it is kept, and proves nothing.
    """
    sid, status = _sid(form), _required(form, "MessageStatus")
    if not _STATUS.fullmatch(status):
        raise Refused(400, "field MessageStatus is not a word")
    error_code = _whole_number(form, "ErrorCode", 0) or None
    return DeliveryReport(
        id=report_id(sid, status, error_code),
        at=receipt.at,
        channel=receipt.channel.name,
        conversation=receipt.identity.conversation(receipt.channel.name, form.get("To")),
        account_sid=_required(form, "AccountSid"),
        sid=sid,
        status=status,
        part_id=part_id,
        error_code=error_code,
        carrier_done_at=form.get("RawDlrDoneDate") or None,
    )


def reported_opt_out(
    form: Form, report: DeliveryReport, receipt: Receipt, posted_at: datetime | None = None
) -> ConsentChanged | None:
    """The opt-out that a failed delivery tells of, None where it tells of none.

    It counts as of the part's POST: a START that came later still holds.
    """
    if report.error_code != _OPTED_OUT or not form.get("To"):
        return None
    return ConsentChanged(
        id=f"consent-{report.sid}",
        at=posted_at or receipt.at,
        channel=report.channel,
        conversation=report.conversation,
        scope=receipt.channel.sender_for(form.get("From")),
        contact=form.get("To"),
        granted=False,
        cause=ConsentCause.TWILIO_21610,
    )


def _keyword(form: Form) -> Keyword | None:
    """Twilio's own verdict where Advanced Opt-Out gives one, else the carriers' exact words."""
    told = form.get("OptOutType")
    if told in Keyword.__members__:
        return Keyword(told)
    return classify_keyword(form.get("Body"), toll_free=is_toll_free(form.get("To")))


def _media(form: Form) -> tuple[Media, ...]:
    """What is attached, whatever ``NumMedia`` says: a picture is not dropped for a wrong number."""
    urls = ((form.get(f"MediaUrl{n}"), form.get(f"MediaContentType{n}")) for n in range(MOST_MEDIA))
    return tuple(Media(url=url, content_type=content_type) for url, content_type in urls if url)


def _sid(form: Form) -> str:
    sid = _required(form, "MessageSid")
    if not _MESSAGE_SID.fullmatch(sid):
        raise Refused(400, "field MessageSid is not a SID of two letters and 32 hex digits")
    return sid


def _required(form: Form, name: str) -> str:
    value = form.get(name)
    if not value:
        raise Refused(400, f"field {name} is missing")
    return value


def _whole_number(form: Form, name: str, default: int) -> int:
    value = form.get(name)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default
