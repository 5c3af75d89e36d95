"""Settings from the environment: each read by name, each mistake one sentence that names it and the fix.

What a variable means to one service stands in that service's own ``settings``; here is what all share.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from parley_common.topology import Limits

Environment = Mapping[str, str]

DEFAULT_NATS_PORT = 4222
_DAY_S = 86_400.0


class SettingsError(Exception):
    """A setting is missing or makes no sense; the message names the variable and what to do."""


def read_text(environment: Environment, name: str, default: str | None = None) -> str:
    """The variable's text; without a default it must be set."""
    value = environment.get(name, "").strip() or default
    if value is None:
        raise SettingsError(f"{name} is not set: set it in the environment")
    return value


def read_optional(environment: Environment, name: str) -> str | None:
    """The variable's text, None where it is unset or blank."""
    return environment.get(name, "").strip() or None


def read_list(environment: Environment, name: str) -> tuple[str, ...]:
    """The variable's comma-separated values, blanks left out."""
    return tuple(part.strip() for part in environment.get(name, "").split(",") if part.strip())


def read_flag(environment: Environment, name: str, *, default: bool = False) -> bool:
    """A yes or no."""
    value = environment.get(name, "").strip().lower()
    if value in ("", None):
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise SettingsError(f"{name} is {value!r}: write true or false")


def read_number(environment: Environment, name: str, default: float, *, least: float = 0.0) -> float:
    """A number that is at least ``least``."""
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}: write a number") from None
    if not least <= value < float("inf"):
        raise SettingsError(f"{name} is {text}: it must be at least {least:g}")
    return value


def read_whole(environment: Environment, name: str, default: int, *, least: int = 0) -> int:
    """A whole number that is at least ``least``."""
    value = read_number(environment, name, default, least=least)
    if value != int(value):
        raise SettingsError(f"{name} is {value:g}: write a whole number")
    return int(value)


def read_port(environment: Environment, name: str, default: int) -> int:
    """A TCP port."""
    text = environment.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise SettingsError(f"{name} is {text!r}: write a port from 1 to 65535")
    return int(text)


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every service needs to know."""

    nats_url: str
    hash_key: bytes
    host: str
    readable_logs: bool
    grace_s: float


def read_common(environment: Environment = os.environ) -> Common:
    """Reads what all services share."""
    port = read_port(environment, "PARLEY_NATS_PORT", DEFAULT_NATS_PORT)
    return Common(
        nats_url=read_text(environment, "NATS_URL", f"nats://127.0.0.1:{port}"),
        hash_key=_read_hash_key(environment),
        host=read_text(environment, "PARLEY_HOST", "127.0.0.1"),
        readable_logs=_read_log_format(environment) == "text",
        grace_s=read_number(environment, "PARLEY_GRACE_S", 20.0, least=1.0),
    )


def _read_hash_key(environment: Environment) -> bytes:
    key = read_text(environment, "PARLEY_HASH_KEY").encode()
    if len(key) < 32:
        raise SettingsError(
            "PARLEY_HASH_KEY is shorter than 32 characters: use the output of openssl rand -hex 32"
        )
    return key


def _read_log_format(environment: Environment) -> str:
    value = read_text(environment, "PARLEY_LOG_FORMAT", "json")
    if value not in ("json", "text"):
        raise SettingsError(f"PARLEY_LOG_FORMAT is {value!r}: write json or text")
    return value


def read_limits(environment: Environment = os.environ) -> Limits:
    """How long and how large the streams may grow."""
    defaults = Limits()
    return Limits(
        max_age_s=read_number(environment, "PARLEY_STREAM_MAX_AGE_S", defaults.max_age_s, least=60.0),
        max_bytes=read_whole(environment, "PARLEY_STREAM_MAX_BYTES", defaults.max_bytes, least=1_000_000),
        replicas=read_whole(environment, "PARLEY_STREAM_REPLICAS", defaults.replicas, least=1),
        media_max_age_s=_read_media_age(environment),
        media_max_bytes=read_whole(
            environment, "PARLEY_MEDIA_MAX_BYTES", defaults.media_max_bytes, least=1_000_000
        ),
    )


def _read_media_age(environment: Environment) -> float | None:
    if read_optional(environment, "PARLEY_MEDIA_MAX_AGE_S") is None:
        return None
    age_s = read_number(environment, "PARLEY_MEDIA_MAX_AGE_S", 0.0)
    if age_s < _DAY_S:
        raise SettingsError(
            f"PARLEY_MEDIA_MAX_AGE_S is {age_s:g}: it must be a day ({_DAY_S:g}) at least, since Twilio may fetch "
            "a file twelve hours after it was sent"
        )
    return age_s
