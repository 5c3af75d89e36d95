"""What went over the wire lately, and what Twilio's debugger would complain about.

Keeps the newest entries in memory. Secrets in addresses are removed before they get here.
"""

import re
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

LIMIT = 5_000
_SECRET_WORDS = ("token", "secret", "password", "signature", "apikey", "api_key")
_SUSPICIOUS = re.compile("@|" + "|".join(_SECRET_WORDS), re.IGNORECASE)


class Kind(StrEnum):
    """What sort of exchange an entry is about."""

    REST = "rest"
    WEBHOOK = "webhook"
    CALLBACK = "callback"
    MEDIA = "media"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One exchange; `status` is none where no HTTP answer came."""

    number: int
    at: float
    kind: Kind
    method: str
    url: str
    status: int | None
    ms: float
    attempt: int = 1
    sid: str = ""
    note: str = ""


class Complaint(msgspec.Struct, frozen=True, gc=False):
    """One entry of the debugger."""

    number: int
    at: float
    code: int
    words: str
    sid: str
    url: str


class RequestLog:
    """The newest exchanges and complaints."""

    def __init__(self, publish: Callable[[str, object], None]) -> None:
        self._publish = publish
        self._count = 0
        self.entries: deque[Entry] = deque(maxlen=LIMIT)
        self.complaints: deque[Complaint] = deque(maxlen=LIMIT)

    def next_number(self) -> int:
        """Return the number of the entry about to be written."""
        self._count += 1
        return self._count

    def write(self, entry: Entry) -> None:
        """Keep an exchange."""
        self.entries.append(entry)
        self._publish("log", entry)

    def complain(self, complaint: Complaint) -> None:
        """Keep a debugger entry."""
        self.complaints.append(complaint)
        self._publish("debugger", complaint)

    def clear(self) -> None:
        """Forget all entries."""
        self.entries.clear()
        self.complaints.clear()


def without_secrets(url: str) -> str:
    """Return the address without user information, fragment, and values that look secret."""
    bare = url.partition("#")[0]
    if not _SUSPICIOUS.search(bare):
        return bare
    parts = urlsplit(bare)
    query = [
        (name, "***" if any(word in name.lower() for word in _SECRET_WORDS) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(query), ""))
