"""Signs requests as Standard Webhooks has it, so that bots verify them with libraries that exist already.

Signed is ``id.timestamp.body``, by HMAC-SHA256. A secret is written ``whsec_`` and base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from parley_brains.tools.filling import NotSet
from parley_common.settings import Environment, SettingsError, read_optional

SECRET, NEXT_SECRET = "PARLEY_WEBHOOK_SECRET", "PARLEY_WEBHOOK_SECRET_NEXT"
"""Both sign while the operator changes from one to the other."""

_PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64
_HOW = "use the output of: echo whsec_$(openssl rand -base64 32)"


def read_secrets(environment: Environment, *, required: bool) -> tuple[bytes, ...]:
    """The secrets that sign, none where there need not be one. Raises ``SettingsError``, without the secret."""
    if required and read_optional(environment, SECRET) is None:
        raise NotSet(f"{SECRET} is not set: the bot cannot tell Parley from others; {_HOW}")
    written = ((name, read_optional(environment, name)) for name in (SECRET, NEXT_SECRET))
    return tuple(_secret(name, text) for name, text in written if text is not None)


def _secret(name: str, text: str) -> bytes:
    encoded = text.removeprefix(_PREFIX).rstrip("=")
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"{name} is not {_PREFIX} and base64 after it; {_HOW}") from None
    if not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise SettingsError(
            f"{name} holds {len(secret)} bytes: it must be {_LEAST_BYTES} to {_MOST_BYTES}; {_HOW}"
        )
    return secret


def signed_headers(secrets: Sequence[bytes], key: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent a request, and when: one signature by each secret."""
    headers = {"webhook-id": key, "webhook-timestamp": str(at_s)}
    content = b".".join((key.encode(), str(at_s).encode(), body))
    signatures = [_signature(secret, content) for secret in secrets]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def _signature(secret: bytes, content: bytes) -> str:
    digest = hmac.new(secret, content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
