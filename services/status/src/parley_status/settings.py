"""What the status service reads from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from parley_common.channels import Channels, read_channels
from parley_common.settings import Environment, SettingsError, read_number, read_optional, read_port, read_text
from parley_common.shared_settings import read_limits
from parley_common.topology import Limits

PORT_VARIABLE = "PARLEY_STATUS_PORT"
DEFAULT_PORT = 8081
DEFAULT_DATA_DIR = ".data"
DEFAULT_ASK_AFTER_S = 12 * 3600.0

_POSTGRES = ("postgresql://", "postgres://", "postgresql+psycopg://")


@dataclass(frozen=True, kw_only=True)
class AskSettings:
    """``after_s``: how long a part may go without a final word of Twilio's before Twilio is asked for it."""

    channels: Channels = field(repr=False)
    after_s: float
    timeout_s: float


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings; neither the key nor the database's password is ever shown.

    ``asking`` is None where no Twilio account is set: all else works without one.
    """

    port: int
    api_key: str = field(repr=False)
    database_url: str = field(repr=False)
    limits: Limits
    asking: AskSettings | None


def read_settings(environment: Environment = os.environ) -> Settings:
    """Reads them."""
    return Settings(
        port=read_port(environment, PORT_VARIABLE, DEFAULT_PORT),
        api_key=_read_api_key(environment),
        database_url=read_database_url(environment),
        limits=read_limits(environment),
        asking=_read_asking(environment),
    )


def _read_asking(environment: Environment) -> AskSettings | None:
    after_s = read_number(environment, "PARLEY_ASK_AFTER_S", DEFAULT_ASK_AFTER_S, least=1.0)
    if read_optional(environment, "TWILIO_ACCOUNT_SID") is None:
        return None
    return AskSettings(
        channels=read_channels(environment),
        after_s=after_s,
        timeout_s=read_number(environment, "PARLEY_TWILIO_TIMEOUT_S", 10.0, least=0.1),
    )


def _read_api_key(environment: Environment) -> str:
    key = read_optional(environment, "PARLEY_API_KEY")
    if key is None:
        raise SettingsError(
            "PARLEY_API_KEY is not set: the API is never open, use the output of openssl rand -hex 32"
        )
    return key


def read_database_url(environment: Environment = os.environ) -> str:
    """Where the database is, as SQLAlchemy takes it."""
    url = read_optional(environment, "PARLEY_DATABASE_URL")
    if url is None:
        return f"sqlite:///{_read_data_dir(environment) / 'status.db'}"
    for prefix in _POSTGRES:
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    raise SettingsError(
        "PARLEY_DATABASE_URL is not for PostgreSQL: write postgresql://user:password@host/database,"
        " or leave it unset to keep a SQLite file in PARLEY_DATA_DIR"
    )


def _read_data_dir(environment: Environment) -> Path:
    path = Path(read_text(environment, "PARLEY_DATA_DIR", DEFAULT_DATA_DIR)).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"PARLEY_DATA_DIR {path} cannot be made: {error.strerror}") from None
    return path
