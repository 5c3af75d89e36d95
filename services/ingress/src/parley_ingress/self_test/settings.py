"""What the self-test reads from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from parley_common.channels import Channel, read_channels
from parley_common.domain.phone_numbers import AddressError, parse_address
from parley_common.settings import Environment, SettingsError, read_number, read_optional, read_text
from parley_ingress.settings import read_public_url

SERVICES = ("ingress", "agent", "egress", "status")
DEFAULT_TEXT = "hello"
DEFAULT_TIMEOUT_S = 120.0

_CONTACT = "PARLEY_SELF_TEST_CONTACT"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``urls``: where each service answers, by its name. ``contact``: who texts, None to send no text through.

    ``timeout_s``: for all steps together.
    """

    urls: Mapping[str, str]
    public_url: str
    channel: Channel = field(repr=False)
    api_key: str = field(repr=False)
    contact: str | None = field(repr=False)
    text: str = field(repr=False)
    timeout_s: float


def read_settings(environment: Environment = os.environ) -> Settings:
    """Reads them, or says what is wrong."""
    return Settings(
        urls={name: _read_url(environment, f"PARLEY_SELF_TEST_{name.upper()}_URL") for name in SERVICES},
        public_url=read_public_url(environment),
        channel=read_channels(environment).all[0],
        api_key=read_text(environment, "PARLEY_API_KEY"),
        contact=_read_contact(environment),
        text=read_text(environment, "PARLEY_SELF_TEST_TEXT", DEFAULT_TEXT),
        timeout_s=read_number(environment, "PARLEY_SELF_TEST_TIMEOUT_S", DEFAULT_TIMEOUT_S, least=1.0),
    )


def _read_url(environment: Environment, name: str) -> str:
    url = read_text(environment, name).rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SettingsError(f"{name} is {url!r}: write the address of a service, like http://parley-agent:8083")
    return url


def _read_contact(environment: Environment) -> str | None:
    text = read_optional(environment, _CONTACT)
    if text is None:
        return None
    try:
        address = parse_address(text)
    except AddressError:
        address = None  # what it says would quote the number
    if address is None or not address.can_be_answered:
        raise SettingsError(f"{_CONTACT} is no phone number: write one like +1 and ten digits, or leave it out")
    return str(address)
