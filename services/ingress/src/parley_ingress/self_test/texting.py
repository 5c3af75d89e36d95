"""Webhooks as Twilio sends them, signed with Twilio's own library, and what ingress must say to them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

from twilio.request_validator import (
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
)

from parley_common.channels import Channel
from parley_common.webhook_urls import INBOUND_PATH
from parley_ingress.self_test.asking import Answer, Asking, Deadline, Failed, Unreachable
from parley_ingress.self_test.settings import Settings

_FORGERY = "not a token of this account"


def new_sid() -> str:
    """A MessageSid that nobody has used."""
    return f"SM{secrets.token_hex(16)}"


def text_form(channel: Channel, contact: str, text: str, sid: str) -> dict[str, str]:
    """The fields of a text to the channel."""
    form = {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": channel.account_sid,
        "From": contact,
        "To": our_address(channel, contact),
        "Body": text,
        "NumMedia": "0",
        "NumSegments": "1",
    }
    if channel.messaging_service_sid is not None:
        form["MessagingServiceSid"] = channel.messaging_service_sid
    return form


def our_address(channel: Channel, contact: str) -> str:
    """Which of the channel's numbers this person would text: one of their kind, else the Messaging Service."""
    kind = contact.rpartition(":")[0]
    fitting = (number for number in channel.numbers if number.rpartition(":")[0] == kind)
    found = next(fitting, None) or channel.messaging_service_sid
    if found is None:
        raise Failed(
            "TWILIO_PHONE_NUMBER has no number of the kind that PARLEY_SELF_TEST_CONTACT is: a WhatsApp address "
            "texts a WhatsApp sender, a phone a phone number"
        )
    return found


def signature(channel: Channel, url: str, form: Mapping[str, str]) -> dict[str, str]:
    """Twilio's headers: with a SharedKey where the channel has one, since it takes nothing else then."""
    if channel.shared_keys:
        key, secret = channel.shared_keys[0]
        signed = RequestValidator(secret).compute_signature(url, dict(form), HMAC_SHA256)
        return {SIGNATURE_HEADER: signed, SIGNATURE_SETTINGS_HEADER: f"key={key},algorithm={HMAC_SHA256}"}
    return {SIGNATURE_HEADER: RequestValidator(channel.auth_tokens[0]).compute_signature(url, dict(form))}


class Texting:
    """Posts webhooks to ingress."""

    def __init__(self, asking: Asking, settings: Settings, deadline: Deadline) -> None:
        self._asking = asking
        self._channel = settings.channel
        self._url = settings.urls["ingress"] + INBOUND_PATH
        self._signed_url = settings.public_url + INBOUND_PATH
        self._deadline = deadline

    async def forge(self) -> str:
        """Posts a text that somebody else signed; it must be refused."""
        form = self._empty() | {"MessageSid": new_sid()}
        forged = {SIGNATURE_HEADER: RequestValidator(_FORGERY).compute_signature(self._signed_url, form)}
        answer = await self._post(form, forged)
        if answer.status == 403:
            return "a forged webhook is refused"
        raise Failed(
            f"ingress answers {answer.status} to a forged webhook, it must be 403: see that "
            "PARLEY_SELF_TEST_INGRESS_URL leads to ingress itself, and let nothing in until it does"
        )

    async def sign_nothing(self) -> str:
        """Posts a webhook that is signed and lacks every field of a text: known to be Twilio's, and not stored."""
        form = self._empty()
        answer = await self._post(form, signature(self._channel, self._signed_url, form))
        if answer.status == 400:
            return "a webhook signed as Twilio's is recognised"
        raise _not_taken(answer)

    async def text(self, form: Mapping[str, str]) -> str:
        """Posts the text until ingress holds it, as Twilio does."""
        answer = await self._post_until_taken(form)
        if answer.status == 200:
            return f"ingress has taken the text {form['MessageSid']}"
        raise _not_taken(answer)

    async def text_again(self, form: Mapping[str, str]) -> str:
        """Posts the same once more, as Twilio does where it missed the answer."""
        answer = await self._post_until_taken(form)
        if answer.status == 200:
            return "the same webhook once more is answered 200"
        raise Failed(
            f"ingress answers {answer.status} to a webhook that it has taken before ({answer.said}): Twilio would "
            "try again for nothing, its log says why"
        )

    def _empty(self) -> dict[str, str]:
        form = {"AccountSid": self._channel.account_sid}
        if self._channel.messaging_service_sid is not None:
            return form | {"MessagingServiceSid": self._channel.messaging_service_sid}
        return form | {"To": self._channel.numbers[0]}

    async def _post_until_taken(self, form: Mapping[str, str]) -> Answer:
        while True:
            answer = await self._post(form, signature(self._channel, self._signed_url, form))
            if answer.status != 503 or not await self._deadline.pause():
                return answer

    async def _post(self, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        try:
            return await self._asking.post(self._url, urlencode(form), headers)
        except Unreachable as error:
            raise Failed(f"ingress does not answer a webhook ({error}): its log says why") from None


def _not_taken(answer: Answer) -> Failed:
    if answer.status == 403:
        return Failed(
            f"ingress refuses what is signed for this channel ({answer.said}): it was started with other values "
            "of TWILIO_AUTH_TOKEN, PARLEY_PUBLIC_URL or the channel than this test; restart it with these"
        )
    if answer.status == 503:
        return Failed(f"ingress cannot store a text ({answer.said}): see that the broker runs and has room")
    return Failed(f"ingress answers {answer.status} to a webhook that is signed ({answer.said}): its log says why")
