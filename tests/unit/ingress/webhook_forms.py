"""Webhooks as Twilio fills them in, for tests; each differs from the sample only where a test says so."""

from __future__ import annotations

from datetime import UTC, datetime

from parley_common.channels import Channel
from parley_common.identity import Identity
from parley_ingress.forms import Form
from parley_ingress.translation import Receipt

ACCOUNT = "AC" + "a" * 32
SERVICE = "MG" + "b" * 32
SID = "SM" + "c" * 32
NUMBER = "+15550001111"
TOLL_FREE = "+18005550100"
PERSON = "+15557772222"
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IDENTITY = Identity(b"k" * 32)

TEXT = {
    "ToCountry": "US",
    "ToState": "",
    "SmsMessageSid": SID,
    "NumMedia": "0",
    "ToCity": "",
    "FromZip": "",
    "SmsSid": SID,
    "FromState": "CA",
    "SmsStatus": "received",
    "FromCity": "",
    "Body": "Hello there",
    "FromCountry": "US",
    "To": NUMBER,
    "ToZip": "",
    "NumSegments": "1",
    "MessageSid": SID,
    "AccountSid": ACCOUNT,
    "From": PERSON,
    "ApiVersion": "2010-04-01",
}
REPORT = {
    "MessageSid": SID,
    "SmsSid": SID,
    "MessageStatus": "delivered",
    "SmsStatus": "delivered",
    "AccountSid": ACCOUNT,
    "From": NUMBER,
    "To": PERSON,
    "ApiVersion": "2010-04-01",
}


def form(sample: dict[str, str], /, **changes: str | None) -> Form:
    """The sample with some fields changed, or left out where the change is None."""
    fields = {**sample, **changes}
    return Form(fields=[(name, value) for name, value in fields.items() if value is not None], body=b"")


def channel(*, service: str | None = None) -> Channel:
    """A channel with one number of each kind."""
    return Channel(
        name="default",
        account_sid=ACCOUNT,
        auth_tokens=("t" * 32,),
        numbers=(NUMBER, TOLL_FREE),
        messaging_service_sid=service,
        allowed=frozenset(),
        allow_all=True,
    )


def receipt(*, service: str | None = None) -> Receipt:
    """A webhook of that channel, received at noon."""
    return Receipt(channel=channel(service=service), identity=IDENTITY, at=AT)
