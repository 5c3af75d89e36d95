"""Twilio's side of a webhook: fills in the form, signs it with its own few lines, sends it to a real ingress."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from parley_common import events, topology
from parley_common.bus import Bus
from parley_common.events import DeliveryReport, InboundMessage
from parley_common.identity import Identity

ACCOUNT = "AC" + "a" * 32
TOKEN = "t" * 32
NUMBER = "+15550001111"
PERSON = "+15557772222"
PUBLIC_URL = "https://sms.example.com"
HASH_KEY = "k" * 32
SECRET_KEY = "s" * 32
IDENTITY = Identity(HASH_KEY.encode())
INBOUND = "/webhooks/twilio/sms"
STATUS = "/webhooks/twilio/status"
FORM = "application/x-www-form-urlencoded"

SETTINGS = {
    "PARLEY_HASH_KEY": HASH_KEY,
    "PARLEY_SECRET_KEY": SECRET_KEY,
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_PHONE_NUMBER": NUMBER,
    "PARLEY_PUBLIC_URL": PUBLIC_URL,
}

Fields = dict[str, str]


def new_sid() -> str:
    """A MessageSid nobody has used."""
    return f"SM{secrets.token_hex(16)}"


def text(body: str = "hello", **changes: str) -> Fields:
    """The fields of a text, blank ones among them."""
    sample = {
        "MessageSid": new_sid(),
        "AccountSid": ACCOUNT,
        "From": PERSON,
        "To": NUMBER,
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "FromCity": "",
        "ToZip": "",
    }
    return {**sample, **changes}


def report(status: str = "delivered", **changes: str) -> Fields:
    """The fields of a status callback."""
    sample = {
        "MessageSid": new_sid(),
        "AccountSid": ACCOUNT,
        "From": NUMBER,
        "To": PERSON,
        "MessageStatus": status,
    }
    return {**sample, **changes}


def sign(url: str, fields: Fields, token: str = TOKEN) -> str:
    """Twilio's signature of a form."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends webhooks to one ingress."""

    client: httpx.AsyncClient

    async def post(
        self, fields: Fields, path: str = INBOUND, *, token: str = TOKEN, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """A signed POST; ``path`` may have a query."""
        signature = {"X-Twilio-Signature": sign(PUBLIC_URL + path, fields, token), "Content-Type": FORM}
        return await self.client.post(path, content=urlencode(fields), headers={**signature, **(headers or {})})

    async def post_until_taken(self, fields: Fields, path: str = INBOUND) -> httpx.Response:
        """The same webhook again and again, as Twilio does, until the answer is another than 503."""
        async with asyncio.timeout(15):
            while (response := await self.post(fields, path)).status_code == 503:
                pass
        assert response.status_code == 200
        return response

    async def get(self, fields: Fields, path: str = INBOUND) -> httpx.Response:
        """A signed GET."""
        target = f"{path}?{urlencode(fields)}"
        return await self.client.get(target, headers={"X-Twilio-Signature": sign(PUBLIC_URL + target, {})})


async def texts(bus: Bus, person: str = PERSON) -> list[InboundMessage]:
    """All texts that are stored of a person, in their order."""
    found = await _events(bus, topology.texts(IDENTITY.conversation("default", person)))
    return [event for event in found if isinstance(event, InboundMessage)]


async def reports(bus: Bus, name: str) -> list[DeliveryReport]:
    """All reports that are stored of a part or SID."""
    subject = topology.reports(IDENTITY.conversation("default", PERSON), name)
    return [event for event in await _events(bus, subject) if isinstance(event, DeliveryReport)]


async def _events(bus: Bus, subject: str) -> list[events.AnyEvent]:
    found, seq = [], 1
    while (stored := await bus.next(subject, seq=seq)) is not None:
        found.append(stored.event())
        seq = stored.seq + 1
    return found
