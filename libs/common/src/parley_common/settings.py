"""Settings from the environment: each read by name, each mistake one sentence that names it and the fix.

What a variable means stands in each service's own ``settings``, and in ``shared_settings`` what it means to all.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

Environment = Mapping[str, str]


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


def split_url(name: str, url: str) -> SplitResult:
    """The parts of the URL in a variable. What the URL says stays out of the error: it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SettingsError(
            f"{name} has a host or port that cannot be: write an address like https://sms.example.com or "
            "http://127.0.0.1:8080"
        ) from None
    return parts
