"""Links to what Parley hosts for Twilio to fetch: signed, good for one file, and only for a time. Pure.

Egress makes them when it sends, ingress reads them. Whoever has a link may read that one file until it expires.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from urllib.parse import urlencode

MEDIA_PATH = "/media"

HOSTED = "parley:"
"""How the URL of a file in the bucket begins, wherever its link is not made yet."""

GOOD_FOR = timedelta(hours=12)
"""From the POST on: Twilio's queue may hold a message for ten hours, and fetches the file after that."""

_EXPIRES, _SIGNATURE = "expires", "signature"
_OUT_NAME = re.compile(r"out/[0-9a-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_PURPOSE = b"parley media links"


class Verdict(Enum):
    """What a link is."""

    GENUINE = "genuine"
    FORGED = "forged"
    EXPIRED = "expired"


def out_name(data: bytes) -> str:
    """The name of a file that goes out: the same bytes are stored once."""
    return f"out/{hashlib.sha256(data).hexdigest()}"


def is_out_name(name: str) -> bool:
    """Whether this is the name of a file that goes out. What people sent is never served."""
    return _OUT_NAME.fullmatch(name) is not None


def hosted_url(name: str) -> str:
    """What events say of a file in the bucket."""
    return f"{HOSTED}{name}"


@dataclass(frozen=True)
class MediaLinks:
    """Makes links and tells them from others. The first of ``keys`` signs, all of them are accepted."""

    keys: tuple[bytes, ...] = field(repr=False)

    def url(self, public_url: str, url: str, *, now: datetime) -> str:
        """The address for Twilio: a link where the file is hosted here, the same address where it is not."""
        if not url.startswith(HOSTED):
            return url
        name = url.removeprefix(HOSTED)
        expires = str(int((now + GOOD_FOR).timestamp()))
        query = urlencode({_EXPIRES: expires, _SIGNATURE: _signed(self.keys[0], name, expires)})
        return f"{public_url}{MEDIA_PATH}/{name}?{query}"

    def verdict(self, name: str, query: Mapping[str, str], *, now: datetime) -> Verdict:
        """Whether the query of a link opens this name now. Who forged one is not told that it expired."""
        expires, signature = query.get(_EXPIRES, ""), query.get(_SIGNATURE, "")
        expected = [_signed(key, name, expires).encode() for key in self.keys]
        known = [hmac.compare_digest(_bytes(signature), one) for one in expected]  # all, whichever it is
        if not any(known) or not _SECONDS.fullmatch(expires):
            return Verdict.FORGED
        return Verdict.GENUINE if now.timestamp() < int(expires) else Verdict.EXPIRED

    def left_s(self, query: Mapping[str, str], *, now: datetime) -> int:
        """How many seconds a genuine link is still good for."""
        return max(0, int(query[_EXPIRES]) - int(now.astimezone(UTC).timestamp()))


def _signed(secret: bytes, name: str, expires: str) -> str:
    """The secret signs nothing itself: it may be used for other purposes too."""
    key = hmac.new(secret, _PURPOSE, hashlib.sha256).digest()
    return hmac.new(key, _bytes(f"{name}\0{expires}"), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
