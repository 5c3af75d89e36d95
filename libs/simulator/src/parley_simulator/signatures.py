"""Signing webhooks with Twilio's own library, so that Parley's verifier is checked by somebody else's code.

Knows the account's secrets; knows nothing of delivery.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from twilio.request_validator import (
    HMAC_SHA256,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
)

from parley_simulator.account import Account

SIGNATURE_HEADER = "X-Twilio-Signature"


def sign(account: Account, url: str, form: Mapping[str, str]) -> dict[str, str]:
    """Return the signature headers for a request to `url` (no fragment) with this form."""
    signed_url = _without_user(url)
    key = account.shared_key
    if key is None:
        return {SIGNATURE_HEADER: RequestValidator(account.primary).compute_signature(signed_url, form)}
    signature = RequestValidator(key.secret).compute_signature(signed_url, form, HMAC_SHA256)
    return {
        SIGNATURE_HEADER: signature,
        SIGNATURE_SETTINGS_HEADER: f"key={key.key},algorithm={HMAC_SHA256}",
    }


def _without_user(url: str) -> str:
    """Twilio drops user and password before it signs, and keeps the port."""
    if "@" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
