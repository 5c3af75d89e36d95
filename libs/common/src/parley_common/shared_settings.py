"""What all services read from the environment: the broker, the hash key, the grace period, the streams' limits."""

from __future__ import annotations

import os
from dataclasses import dataclass

from parley_common.broker import Broker, read_broker
from parley_common.settings import (
    Environment,
    SettingsError,
    read_list,
    read_number,
    read_optional,
    read_text,
    read_whole,
)
from parley_common.topology import Limits

_DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every service needs to know."""

    broker: Broker
    hash_key: bytes
    host: str
    readable_logs: bool
    grace_s: float


def read_common(environment: Environment = os.environ) -> Common:
    """Reads what all services share."""
    return Common(
        broker=read_broker(environment),
        hash_key=_read_hash_key(environment),
        host=read_text(environment, "PARLEY_HOST", "127.0.0.1"),
        readable_logs=read_readable_logs(environment),
        grace_s=read_number(environment, "PARLEY_GRACE_S", 20.0, least=1.0),
    )


def _read_hash_key(environment: Environment) -> bytes:
    key = read_text(environment, "PARLEY_HASH_KEY").encode()
    if len(key) < 32:
        raise SettingsError(
            "PARLEY_HASH_KEY is shorter than 32 characters: use the output of openssl rand -hex 32"
        )
    return key


def read_secret_keys(environment: Environment = os.environ) -> tuple[bytes, ...]:
    """The keys that sign what is handed out: the first signs, all are accepted."""
    keys = tuple(key.encode() for key in read_list(environment, "PARLEY_SECRET_KEY"))
    if not keys:
        raise SettingsError("PARLEY_SECRET_KEY is not set: set it to the output of openssl rand -hex 32")
    if min(map(len, keys)) < 32:
        raise SettingsError(
            "PARLEY_SECRET_KEY has a key shorter than 32 characters: use the output of openssl rand -hex 32, and "
            "new,old while it is changed"
        )
    return keys


def read_readable_logs(environment: Environment = os.environ) -> bool:
    """Whether logs are for people to read, and no JSON."""
    value = read_text(environment, "PARLEY_LOG_FORMAT", "json")
    if value not in ("json", "text"):
        raise SettingsError(f"PARLEY_LOG_FORMAT is {value!r}: write json or text")
    return value == "text"


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
