"""Where the bot is and what opens it, from the agent file and the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from parley_brains.choosing import WEBHOOK_VARIABLE
from parley_brains.origins import origin
from parley_brains.tools.filling import VARIABLE, filled_url, refuse_header, refuse_value, value_of
from parley_brains.webhook.settings import Form, Webhook
from parley_brains.webhook.signing import read_secrets
from parley_common.settings import Environment, SettingsError, read_optional

RASA_PATH = "/webhooks/rest/webhook"

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
        """What may be told of the address."""
        return origin(self.url)


def read_bot(settings: Webhook, environment: Environment) -> Bot:
    """The bot of these settings; raises ``SettingsError``."""
    url = filled_url(read_optional(environment, WEBHOOK_VARIABLE) or settings.url, environment, "[webhook] url")
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
    where = "[webhook] headers"
    refuse_header(name, _OURS, where)
    filled = VARIABLE.sub(lambda found: value_of(found, environment, f"{where}: {name}"), value)
    refuse_value(name, filled, where)
    return filled
