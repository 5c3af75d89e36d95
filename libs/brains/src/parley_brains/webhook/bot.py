"""Where the bot is and what opens it, from the agent file and the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from parley_brains.choosing import WEBHOOK_VARIABLE
from parley_brains.webhook.settings import Form, Webhook
from parley_brains.webhook.signing import read_secrets
from parley_common.settings import Environment, SettingsError, read_optional

RASA_PATH = "/webhooks/rest/webhook"

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = re.compile(
    r"webhook-.*|content-.*|host|idempotency-key|traceparent|tracestate|transfer-encoding|connection|accept.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Bot:
    """The bot's address, the operator's own headers and the secrets that sign; none of it is ever shown."""

    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port: what may be told of the address, since paths and queries may hold keys."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def read_bot(settings: Webhook, environment: Environment) -> Bot:
    """The bot of these settings; raises ``SettingsError``."""
    url = _filled(read_optional(environment, WEBHOOK_VARIABLE) or settings.url, "url", environment)
    return Bot(
        url=_address(url, settings.form),
        headers={name: _header(name, value, environment) for name, value in settings.headers.items()},
        secrets=read_secrets(environment, required=settings.form is Form.PARLEY),
    )


def _address(url: str, form: Form) -> str:
    if not url:
        raise SettingsError(
            f"no bot to ask: write url into [webhook] of the agent file, or set {WEBHOOK_VARIABLE}"
        )
    if not _is_address(url):
        raise SettingsError("[webhook] url is no address: write it as in https://bot.example.com/turns")
    parts = urlsplit(url)
    path = parts.path
    if form is Form.RASA and path in ("", "/"):
        path = RASA_PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and has_port and not re.search(r"\s", url)


def _header(name: str, value: str, environment: Environment) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise SettingsError(f"[webhook] headers: {name!r} is no name of a header")
    if _OURS.fullmatch(name):
        raise SettingsError(f"[webhook] headers: {name} is written by Parley; leave it out")
    filled = _filled(value, f"headers: {name}", environment)
    if not (filled.isascii() and filled.isprintable()):
        raise SettingsError(f"[webhook] headers: {name} has a character that no header may have")
    return filled


def _filled(text: str, where: str, environment: Environment) -> str:
    """The text with its variables filled in."""

    def value(found: re.Match[str]) -> str:
        filled = read_optional(environment, found[1])
        if filled is None:
            raise SettingsError(f"[webhook] {where} names ${{{found[1]}}}: set it in the environment")
        return filled

    return _VARIABLE.sub(value, text)
