"""Puts together what Twilio signed: our public address, path and query as they came, the fields, the secrets."""

from __future__ import annotations

from starlette.requests import Request

from parley_common.channels import Channel
from parley_ingress.forms import Form
from parley_ingress.signature import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    Algorithm,
    Secrets,
    SignedRequest,
    Verdict,
    verify,
)


def verify_webhook(request: Request, form: Form, channel: Channel, public_url: str) -> Verdict:
    """Whether the channel's Twilio account signed this request.

    A channel with SharedKeys takes no other signature, or whoever has the Auth Token could go around them.
    """
    signed = SignedRequest(
        url=public_url + _path_and_query(request),
        signature=request.headers.get(SIGNATURE_HEADER),
        settings=request.headers.get(SETTINGS_HEADER),
        method=request.method,
        fields=form.fields,
        body=form.body,
    )
    secrets = Secrets(auth_tokens=channel.auth_tokens, shared_keys=channel.shared_keys)
    return verify(signed, secrets, pinned=Algorithm.HMAC_SHA256 if channel.shared_keys else None)


def _path_and_query(request: Request) -> str:
    """As they stood in the request line: decoding and encoding again could change them."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    return bytes(path).decode("latin-1") + ("?" + bytes(query).decode("latin-1") if query else "")
