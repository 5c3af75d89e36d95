"""What the simulator is told by its environment, checked once at the start.

Knows nothing of what can be changed while it runs; that is `tuning`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from parley_common.webhook_urls import inbound_url
from parley_simulator.phone_numbers import is_e164

DEFAULT_PORT = 8082
DEFAULT_HOST = "127.0.0.1"


class SettingsError(ValueError):
    """A missing or wrong setting, as one sentence for the person who started the simulator."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The account the simulator plays, its numbers, and where its webhooks go.

    ``host``: what it listens on. ``origin``: how others call it, None for the address it listens on.
    """

    account_sid: str
    auth_token: str
    numbers: tuple[str, ...]
    public_url: str
    messaging_service_sid: str | None = None
    port: int = DEFAULT_PORT
    host: str = DEFAULT_HOST
    origin: str | None = None

    @property
    def inbound_url(self) -> str:
        """The webhook every number starts with."""
        return inbound_url(self.public_url)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings or raise SettingsError with one sentence."""
    return Settings(
        account_sid=_sid(environ, "TWILIO_ACCOUNT_SID", "AC"),
        auth_token=_required(environ, "TWILIO_AUTH_TOKEN", "any secret will do, the services must have the same"),
        numbers=_numbers(_required(environ, "TWILIO_PHONE_NUMBER", "for example +15550100100")),
        public_url=_url(
            "PARLEY_PUBLIC_URL", _required(environ, "PARLEY_PUBLIC_URL", "for example http://127.0.0.1:8080")
        ),
        messaging_service_sid=_sid(environ, "TWILIO_MESSAGING_SERVICE_SID", "MG")
        if environ.get("TWILIO_MESSAGING_SERVICE_SID", "").strip()
        else None,
        port=_port(environ.get("PARLEY_SIMULATOR_PORT", "").strip() or str(DEFAULT_PORT)),
        host=environ.get("PARLEY_HOST", "").strip() or DEFAULT_HOST,
        origin=_url("TWILIO_API_BASE_URL", origin)
        if (origin := environ.get("TWILIO_API_BASE_URL", "").strip())
        else None,
    )


def _required(environ: Mapping[str, str], name: str, hint: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set: {hint}.")
    return value


def _sid(environ: Mapping[str, str], name: str, prefix: str) -> str:
    value = _required(environ, name, f"{prefix} and 32 hex digits")
    if not re.fullmatch(prefix + "[0-9a-fA-F]{32}", value):
        raise SettingsError(f"{name} must be {prefix} and 32 hex digits.")
    return value


def _numbers(value: str) -> tuple[str, ...]:
    numbers = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    if not numbers or not all(is_e164(number) for number in numbers):
        raise SettingsError(
            "TWILIO_PHONE_NUMBER must be one or more E.164 numbers with commas between, such as +15550100100."
        )
    return numbers


def _url(name: str, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"{name} must be an http or https address without a query.")
    return value.rstrip("/")


def _port(value: str) -> int:
    if not value.isdecimal() or int(value) > 65535:
        raise SettingsError("PARLEY_SIMULATOR_PORT must be a number from 0 (any free port) to 65535.")
    return int(value)
