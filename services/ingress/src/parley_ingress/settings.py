"""What ingress reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from parley_common.channels import Channels, read_channels
from parley_common.settings import (
    Environment,
    SettingsError,
    read_number,
    read_port,
    read_text,
    read_whole,
    split_url,
)
from parley_common.shared_settings import read_limits, read_secret_keys
from parley_common.topology import Limits

PORT_VARIABLE = "SMS_WEBHOOK_PORT"


@dataclass(frozen=True, kw_only=True)
class BackfillSettings:
    """``every_s``: between two looks into Twilio's log, 0 for none. ``after_s``: how old a text must be, since its
    webhook comes first. ``twilio_timeout_s``: of one request.
    """

    every_s: float
    after_s: float
    twilio_timeout_s: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``ack_budget_s``: how long a webhook may wait for the broker; Twilio gives up after 15 s in all."""

    port: int
    public_url: str
    channels: Channels
    ack_budget_s: float
    most_pending: int
    backfill: BackfillSettings
    limits: Limits
    secret_keys: tuple[bytes, ...] = field(repr=False)


def read_settings(environment: Environment = os.environ) -> Settings:
    """Reads them, or says what is wrong."""
    return Settings(
        port=read_port(environment, PORT_VARIABLE, 8080),
        public_url=read_public_url(environment),
        channels=read_channels(environment),
        ack_budget_s=read_number(environment, "PARLEY_ACK_BUDGET_S", 8.0, least=0.5),
        most_pending=read_whole(environment, "PARLEY_MOST_PENDING_WEBHOOKS", 2_000, least=1),
        backfill=BackfillSettings(
            every_s=read_number(environment, "PARLEY_BACKFILL_EVERY_S", 120.0),
            after_s=read_number(environment, "PARLEY_BACKFILL_AFTER_S", 180.0),
            twilio_timeout_s=read_number(environment, "PARLEY_TWILIO_TIMEOUT_S", 10.0, least=0.1),
        ),
        limits=read_limits(environment),
        secret_keys=read_secret_keys(environment),
    )


def read_public_url(environment: Environment) -> str:
    """The address under which Twilio reaches us; signatures are made over it."""
    url = read_text(environment, "PARLEY_PUBLIC_URL").rstrip("/")
    parts = split_url("PARLEY_PUBLIC_URL", url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(
            f"PARLEY_PUBLIC_URL is {url!r}: write the address Twilio reaches you at, like https://sms.example.com"
        )
    return url
