"""What egress reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from parley_common.channels import Channels, read_channels
from parley_common.settings import Environment, SettingsError, read_number, read_port, read_text, read_whole
from parley_common.shared_settings import read_limits, read_secret_keys
from parley_common.topology import Limits

PORT_VARIABLE = "PARLEY_EGRESS_PORT"


@dataclass(frozen=True, kw_only=True)
class SendSettings:
    """``settle_s``: how long a part in doubt waits for evidence before it is sent again.

    ``most_parts``: of one reply. ``concurrency``: POSTs to Twilio at once.
    """

    public_url: str
    settle_s: float
    post_timeout_s: float
    most_parts: int
    concurrency: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is said in the environment, checked."""

    port: int
    channels: Channels
    limits: Limits
    sending: SendSettings
    secret_keys: tuple[bytes, ...] = field(repr=False)


_LEAST_SETTLE_S = 6.0
"""A POST begins within five seconds of its attempt; one for the way."""


def read_settings(environment: Environment = os.environ) -> Settings:
    """Reads them, or says what is wrong."""
    settings = _read(environment)
    least_s = settings.sending.post_timeout_s + _LEAST_SETTLE_S
    if settings.sending.settle_s < least_s:
        raise SettingsError(
            f"PARLEY_SETTLE_S is {settings.sending.settle_s:g}: a text still on its way would be sent again; "
            f"write at least {least_s:g}, which is PARLEY_TWILIO_TIMEOUT_S and {_LEAST_SETTLE_S:g} s"
        )
    return settings


def _read(environment: Environment) -> Settings:
    return Settings(
        port=read_port(environment, PORT_VARIABLE, 8084),
        channels=read_channels(environment),
        limits=read_limits(environment),
        secret_keys=read_secret_keys(environment),
        sending=SendSettings(
            public_url=read_text(environment, "PARLEY_PUBLIC_URL").rstrip("/"),
            settle_s=read_number(environment, "PARLEY_SETTLE_S", 75.0, least=1.0),
            post_timeout_s=read_number(environment, "PARLEY_TWILIO_TIMEOUT_S", 10.0, least=0.1),
            most_parts=read_whole(environment, "PARLEY_MOST_PARTS", 10, least=1),
            concurrency=read_whole(environment, "PARLEY_TWILIO_CONCURRENCY", 100, least=1),
        ),
    )
