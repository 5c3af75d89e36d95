"""Connection overrides: what the fragment of a webhook URL says about time limits and retries.

Pure. `https://example.com/sms#rc=5&rp=all` asks for five retries of every failure. The fragment is
not part of the request and not part of the signature.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl


class Failure(StrEnum):
    """Kinds of failed attempt, by the names the retry policy `rp` uses."""

    CONNECT = "ct"
    READ = "rt"
    CLIENT_STATUS = "4xx"
    SERVER_STATUS = "5xx"


ALL_FAILURES = frozenset(Failure)


@dataclass(frozen=True, slots=True)
class Overrides:
    """Limits and retries of one webhook URL; the defaults are Twilio's."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    retries: int = 1
    policy: frozenset[Failure] = frozenset({Failure.CONNECT})


def split_overrides(url: str) -> tuple[str, Overrides]:
    """Return the URL to request and the overrides its fragment names.

    A value out of bounds is moved to the nearest bound; one that cannot be read keeps the default.
    """
    bare, _, fragment = url.partition("#")
    return bare, _read_fragment(fragment)


@lru_cache(maxsize=256)
def _read_fragment(fragment: str) -> Overrides:
    given = dict(parse_qsl(fragment))
    default = Overrides()
    return Overrides(
        connect_s=_seconds(given.get("ct"), default.connect_s, longest_ms=10_000),
        read_s=_seconds(given.get("rt"), default.read_s, longest_ms=15_000),
        total_s=_seconds(given.get("tt"), default.total_s, longest_ms=15_000),
        retries=_whole(given.get("rc"), default.retries, low=0, high=5),
        policy=_policy(given.get("rp"), default.policy),
    )


def _whole(value: str | None, default: int, *, low: int, high: int) -> int:
    if value is None or not value.isdecimal():
        return default
    return min(max(int(value), low), high)


def _seconds(value: str | None, default_s: float, *, longest_ms: int) -> float:
    return _whole(value, round(default_s * 1000), low=100, high=longest_ms) / 1000


def _policy(value: str | None, default: frozenset[Failure]) -> frozenset[Failure]:
    names = [name.strip() for name in (value or "").split(",")]
    if "all" in names:
        return ALL_FAILURES
    known = frozenset(failure for failure in Failure if failure.value in names)
    return known or default
