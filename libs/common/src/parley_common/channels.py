"""A channel: one Twilio identity and what answers behind it.

The quick start describes one channel by the environment, with the names people know from Twilio. This module
knows neither the broker nor Twilio's API.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from parley_common.domain.countries import COUNTRIES, country_of
from parley_common.domain.phone_numbers import AddressError, parse_address
from parley_common.domain.quiet_hours import QuietHours, parse_quiet_hours
from parley_common.settings import (
    Environment,
    SettingsError,
    read_flag,
    read_list,
    read_number,
    read_optional,
    read_text,
    read_whole,
    split_url,
)

QUICK_START = "default"
TWILIO_API = "https://api.twilio.com"

_SID = re.compile(r"(AC|MG)[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One Twilio identity.

    ``auth_tokens``: the primary first, then the next one while it is being rotated. ``shared_keys``: id to
    secret of Twilio's HMAC_SHA256 keys; where there are any, a webhook must be signed with one.
    ``rate_mps``: segments a second for each sender, None for the default of the sender's type.
    ``countries``: ISO codes of the countries to text with, empty for all. ``daily_answers``: to one contact,
    ``daily_segments``: of the whole channel; both by the UTC day, 0 for no cap. ``offline``: nobody is answered,
    but told ``offline_text`` once a day. ``people_may_start``: whether those are answered to whom we never texted.
    ``help_text``: answers HELP, empty where Twilio does. ``quiet_hours``: when notifications wait.
    """

    name: str
    account_sid: str
    auth_tokens: tuple[str, ...]
    numbers: tuple[str, ...]
    messaging_service_sid: str | None
    allowed: frozenset[str]
    allow_all: bool
    rate_mps: float | None = None
    shared_keys: tuple[tuple[str, str], ...] = ()
    api_base_url: str = TWILIO_API
    countries: frozenset[str] = frozenset()
    daily_answers: int = 0
    daily_segments: int = 0
    offline: bool = False
    offline_text: str = ""
    people_may_start: bool = True
    help_text: str = ""
    quiet_hours: QuietHours | None = None

    def sender_for(self, recipient: str) -> str:
        """Who answers a text to ``recipient``: the Messaging Service where there is one, else that number."""
        return self.messaging_service_sid or recipient

    def pool_of(self, sender: str) -> tuple[str, ...]:
        """The numbers that a sender may text from beside itself: whoever said STOP to one meant it."""
        return self.numbers if sender == self.messaging_service_sid else ()

    def owns(self, address: str) -> bool:
        """Whether an address is one of the channel's numbers."""
        return address in self.numbers

    def allows(self, contact: str) -> bool:
        """Whether this person may text the agent. Nobody may by default."""
        return self.allow_all or contact in self.allowed

    def reaches(self, contact: str) -> bool:
        """Whether the contact's country is one to text with. An address that tells no country is of none."""
        return not self.countries or country_of(contact) in self.countries


@dataclass(frozen=True)
class Channels:
    """The channels this process serves."""

    all: tuple[Channel, ...]

    def named(self, name: str) -> Channel | None:
        """The channel of that name."""
        return next((channel for channel in self.all if channel.name == name), None)

    def of_webhook(self, account_sid: str, recipient: str, service_sid: str | None) -> Channel | None:
        """Whose webhook this is: by Messaging Service first, since pool numbers need not be listed."""
        mine = [channel for channel in self.all if channel.account_sid == account_sid]
        by_service = (c for c in mine if service_sid and c.messaging_service_sid == service_sid)
        by_number = (c for c in mine if c.owns(recipient))
        return next(by_service, None) or next(by_number, None)


def read_channels(environment: Environment = os.environ) -> Channels:
    """The quick start's one channel."""
    numbers = _read_addresses(environment, "TWILIO_PHONE_NUMBER")
    service = read_optional(environment, "TWILIO_MESSAGING_SERVICE_SID")
    if not numbers and service is None:
        raise SettingsError("TWILIO_PHONE_NUMBER is not set: set it, or TWILIO_MESSAGING_SERVICE_SID")
    if service is not None:
        _check_sid("TWILIO_MESSAGING_SERVICE_SID", service, "MG")
    account_sid = read_text(environment, "TWILIO_ACCOUNT_SID")
    _check_sid("TWILIO_ACCOUNT_SID", account_sid, "AC")
    rate = read_number(environment, "PARLEY_SENDER_MPS", 0.0)
    channel = Channel(
        name=QUICK_START,
        account_sid=account_sid,
        auth_tokens=_read_tokens(environment),
        shared_keys=_read_shared_keys(environment),
        numbers=numbers,
        messaging_service_sid=service,
        allowed=frozenset(_read_addresses(environment, "SMS_ALLOWED_USERS")),
        allow_all=read_flag(environment, "SMS_ALLOW_ALL_USERS"),
        rate_mps=rate or None,
        api_base_url=_read_api_base_url(environment),
        countries=_read_countries(environment),
        daily_answers=read_whole(environment, "PARLEY_DAILY_ANSWERS_PER_CONTACT", 100),
        daily_segments=read_whole(environment, "PARLEY_DAILY_SEGMENTS", 0),
        offline=read_flag(environment, "PARLEY_OFFLINE"),
        offline_text=read_optional(environment, "PARLEY_OFFLINE_TEXT") or "",
        people_may_start=read_flag(environment, "PARLEY_PEOPLE_MAY_START", default=True),
        help_text=read_optional(environment, "PARLEY_HELP_TEXT") or "",
        quiet_hours=_read_quiet_hours(environment),
    )
    return Channels((channel,))


def _read_api_base_url(environment: Environment) -> str:
    url = read_text(environment, "TWILIO_API_BASE_URL", TWILIO_API).rstrip("/")
    split_url("TWILIO_API_BASE_URL", url)
    return url


def _read_addresses(environment: Environment, name: str) -> tuple[str, ...]:
    """Addresses as Twilio writes them in its webhooks, however they were written here."""
    return tuple(_read_address(name, text) for text in read_list(environment, name))


def _read_address(name: str, text: str) -> str:
    try:
        address = parse_address(text)
    except AddressError as error:
        raise SettingsError(f"{name}: {error}") from None
    if not address.can_be_answered:
        raise SettingsError(f"{name}: {text!r} is a name, which nobody can text; write a number like +15551234567")
    return str(address)


def _read_countries(environment: Environment) -> frozenset[str]:
    countries = frozenset(text.upper() for text in read_list(environment, "SMS_ALLOWED_COUNTRIES"))
    if unknown := sorted(countries - COUNTRIES):
        raise SettingsError(f"SMS_ALLOWED_COUNTRIES: {unknown[0]} is no country; write ISO codes as in US,CA")
    return countries


def _read_quiet_hours(environment: Environment) -> QuietHours | None:
    text = read_optional(environment, "PARLEY_QUIET_HOURS")
    try:
        return None if text is None else parse_quiet_hours(text)
    except ValueError as error:
        raise SettingsError(f"PARLEY_QUIET_HOURS: {error}") from None


def _read_tokens(environment: Environment) -> tuple[str, ...]:
    primary = read_text(environment, "TWILIO_AUTH_TOKEN")
    following = read_optional(environment, "TWILIO_AUTH_TOKEN_NEXT")
    return (primary,) if following is None else (primary, following)


def _read_shared_keys(environment: Environment) -> tuple[tuple[str, str], ...]:
    pairs = tuple(entry.partition("=") for entry in read_list(environment, "TWILIO_WEBHOOK_SHARED_KEYS"))
    if any(not (key and secret) for key, _, secret in pairs):
        raise SettingsError("TWILIO_WEBHOOK_SHARED_KEYS must hold pairs: key id=secret,key id=secret")
    return tuple((key, secret) for key, _, secret in pairs)


def _check_sid(name: str, value: str, prefix: str) -> None:
    if not (_SID.fullmatch(value) and value.startswith(prefix)):
        raise SettingsError(f"{name} is not a SID: it is {prefix} and 32 hex digits, copy it from the Console")
