"""A text as Twilio's message log has it becomes the form that its webhook would have been. Pure.

From there on it is translated as any webhook is. The log lacks what only webhooks tell: ``OptOutType`` (a keyword
is known by its exact word) and ``ProfileName``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from parley_common.events import Media
from parley_ingress.forms import Form


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedText:
    """A row of the log. ``created_at`` has whole seconds, None where it is no date; ``media`` is their number."""

    sid: str
    account_sid: str
    sender: str
    recipient: str
    service_sid: str
    body: str
    segments: str
    media: int
    created_at: datetime | None


def as_form(text: LoggedText, media: Sequence[Media]) -> Form:
    """The form of the webhook, with the attachments as they were listed."""
    fields = [
        ("MessageSid", text.sid),
        ("AccountSid", text.account_sid),
        ("From", text.sender),
        ("To", text.recipient),
        ("Body", text.body),
        ("NumSegments", text.segments),
        ("MessagingServiceSid", text.service_sid),
    ]
    for number, medium in enumerate(media):
        fields += [(f"MediaUrl{number}", medium.url), (f"MediaContentType{number}", medium.content_type)]
    return Form(fields=fields, body=b"")


def log_trouble(status: int, code: int | None) -> str:
    """Why Twilio's log could not be read, by the answer's HTTP status and Twilio's code, for the operator."""
    told = f"HTTP {status}" if code is None else f"HTTP {status}, error {code}"
    match status:
        case 401 | 403:
            return f"Twilio refused our credentials ({told}): check TWILIO_AUTH_TOKEN"
        case 404:
            return f"Twilio knows no such log ({told}): check TWILIO_ACCOUNT_SID, the service and the base URL"
        case 429:
            return f"Twilio asks for patience ({told})"
        case _ if status >= 500:
            return f"Twilio could not answer ({told})"
        case _:
            return f"Twilio refused the question ({told})"
