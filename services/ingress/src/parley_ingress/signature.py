"""Whether a webhook was signed by Twilio: the rule behind ``X-Twilio-Signature``, pure.

Twilio signs the URL it was given, without fragment and userinfo, and the sorted fields of a form; for any other
body the URL carries the body's hash. Whatever is malformed is refused, nothing raises, and a verdict holds no
secret. This module does not know HTTP, channels or replays, which no signature prevents.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"

_MOST_CHARS = 1_000_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=")
_URL = re.compile(
    r"(?P<scheme>https?)://(?:[^/?#]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<rest>(?:[/?][^#]*)?)(?:\#.*)?",
    re.DOTALL | re.IGNORECASE,
)


class Algorithm(StrEnum):
    """How a webhook is signed: SHA1 with an Auth Token, SHA256 with a SharedKey."""

    HMAC_SHA1 = "HMAC_SHA1"
    HMAC_SHA256 = "HMAC_SHA256"


class Verdict(StrEnum):
    """What became of a signature; all but ``GENUINE`` are refusals, fit for a metric's label."""

    GENUINE = "genuine"
    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    WRONG_ALGORITHM = "wrong_algorithm"
    UNKNOWN_KEY = "unknown_key"
    BODY_NOT_SIGNED = "body_not_signed"
    BODY_CHANGED = "body_changed"
    MISMATCH = "mismatch"


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A webhook as it came. ``url`` is the public base, the raw path and the raw query, percent-encoding and all.

    ``fields`` are a form's, decoded with blank values kept; None where the body is no form. ``body`` is raw.
    A GET's fields stand in its query and are ignored here.
    """

    url: str
    signature: str | None
    settings: str | None = None
    method: str = "POST"
    fields: Sequence[tuple[str, str]] | None = None
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What a channel's webhooks may be signed with: Auth Tokens, and SharedKeys as (id, secret)."""

    auth_tokens: tuple[str, ...] = field(default=(), repr=False)
    shared_keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def verify(request: SignedRequest, secrets: Secrets, *, pinned: Algorithm | None = None) -> Verdict:
    """Whether one of the secrets signed the request; where an algorithm is pinned, no other will do."""
    if not request.signature:
        return Verdict.UNSIGNED
    if _size(request) > _MOST_CHARS:
        return Verdict.TOO_LARGE
    chosen = _choose(request.settings or "", secrets)
    if isinstance(chosen, Verdict):
        return chosen
    algorithm, keys = chosen
    if pinned is not None and algorithm is not pinned:
        return Verdict.WRONG_ALGORITHM
    url = _URL.fullmatch(request.url)
    if url is None or not _BASE64.fullmatch(request.signature):
        return Verdict.MALFORMED
    try:
        return _body_fault(request, url["rest"]) or _compare(request, url, algorithm, keys)
    except UnicodeEncodeError:  # lone surrogates, which Twilio cannot have signed
        return Verdict.MALFORMED


def _choose(settings: str, secrets: Secrets) -> tuple[Algorithm, tuple[str, ...]] | Verdict:
    """The algorithm the request names and the secrets that fit it. No settings mean SHA1 and the Auth Token."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (p.partition("=") for p in settings.split(","))]
    if len({name for name, _ in pairs}) < len(pairs):
        return Verdict.MALFORMED
    named = dict(pairs)
    algorithm = named.get("algorithm", "").upper() or Algorithm.HMAC_SHA1
    if algorithm == Algorithm.HMAC_SHA1:
        return Algorithm.HMAC_SHA1, secrets.auth_tokens
    if algorithm != Algorithm.HMAC_SHA256:
        return Verdict.WRONG_ALGORITHM
    keys = tuple(secret for key, secret in secrets.shared_keys if key == named.get("key"))
    return (Algorithm.HMAC_SHA256, keys) if keys else Verdict.UNKNOWN_KEY


def _body_fault(request: SignedRequest, rest: str) -> Verdict | None:
    """A body is signed by its fields or by the hash in the query; one that neither covers is not signed at all."""
    hashes = _body_hashes(rest)
    if hashes:
        same = hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), hashes[0].encode())
        return None if same and len(hashes) == 1 else Verdict.BODY_CHANGED
    covered = request.fields is not None or request.method == "GET" or not request.body
    return None if covered else Verdict.BODY_NOT_SIGNED


def _body_hashes(rest: str) -> list[str]:
    query = rest.partition("?")[2]
    return [part[11:].lower() for part in query.split("&") if part.startswith("bodySHA256=")]


def _compare(request: SignedRequest, url: re.Match[str], algorithm: Algorithm, keys: tuple[str, ...]) -> Verdict:
    digest = "sha1" if algorithm is Algorithm.HMAC_SHA1 else "sha256"
    theirs = (request.signature or "").encode()
    for text, key in product(_signed_texts(request, url), filter(None, keys)):
        ours = base64.b64encode(hmac.digest(key.encode(), text.encode(), digest))
        if hmac.compare_digest(ours, theirs):
            return Verdict.GENUINE
    return Verdict.MISMATCH


def _signed_texts(request: SignedRequest, url: re.Match[str]) -> Iterator[str]:
    """All that Twilio may have signed: with and without port, quotes escaped or not, then the fields."""
    form = ""
    if request.method != "GET" and request.fields is not None:
        form = "".join(name + value for name, value in sorted(set(request.fields)))
    suffixes = {form: None, "": None} if _body_hashes(url["rest"]) else {form: None}
    for suffix, rest, host in product(suffixes, _quotings(url["rest"]), _hosts(url)):
        yield f"{url['scheme']}://{host}{rest}{suffix}"


def _hosts(url: re.Match[str]) -> tuple[str, str]:
    port = url["port"] or ("443" if url["scheme"].lower() == "https" else "80")
    with_port = f"{url['host']}:{port}"
    return (with_port, url["host"]) if url["port"] else (url["host"], with_port)


def _quotings(rest: str) -> dict[str, None]:
    path, mark, query = rest.partition("?")
    queries = (query, query.replace("%27", "'"), query.replace("'", "%27"))
    return dict.fromkeys(path + mark + variant for variant in queries)


def _size(request: SignedRequest) -> int:
    headers = len(request.signature or "") + len(request.settings or "")
    return len(request.url) + headers + sum(len(name) + len(value) + 1 for name, value in request.fields or ())
