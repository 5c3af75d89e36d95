"""Requests of the self-test and how long they may go on. Knows HTTP, no service and no rule."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from parley_common.domain.redaction import redact_text

_EVERY_S = 0.25
_GET = aiohttp.ClientTimeout(total=4.0)
_POST = aiohttp.ClientTimeout(total=15.0)
"""As long as Twilio waits for a webhook."""


class Failed(Exception):  # noqa: N818 - the verdict, not a fault
    """A step has failed; the message names what did and the fix."""


class Unreachable(Exception):  # noqa: N818 - what a step makes of it is its own matter
    """No answer came; the message says why, in a word or two."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def said(self) -> str:
        """Its reason in words, where it is JSON that gives one; without numbers of people."""
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return "no reason given"
        error = found.get("error") if isinstance(found, dict) else None
        words = error.get("message") if isinstance(error, dict) else error
        return redact_text(str(words)) if words else "no reason given"


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """When it must be over, by the monotonic clock; ``total_s`` is what it was made of."""

    at_s: float
    total_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(at_s=time.monotonic() + seconds, total_s=seconds)

    @property
    def is_over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self.at_s

    async def pause(self) -> bool:
        """Waits a moment before the next look; False where there is no time for another."""
        if self.is_over:
            return False
        await asyncio.sleep(_EVERY_S)
        return True


class Asking:
    """One session for all requests; nothing is followed elsewhere."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A GET. Raises ``Unreachable``."""
        return await self._request("GET", url, headers=headers, timeout=_GET)

    async def post(self, url: str, form: str, headers: Mapping[str, str]) -> Answer:
        """A POST of a form. Raises ``Unreachable``."""
        typed = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return await self._request("POST", url, headers=typed, data=form.encode(), timeout=_POST)

    async def _request(self, method: str, url: str, **kwargs: Any) -> Answer:
        try:
            async with self._session.request(method, url, allow_redirects=False, **kwargs) as response:
                return Answer(response.status, await response.read())
        except aiohttp.ClientConnectorDNSError:
            raise Unreachable(f"there is no host {urlsplit(url).hostname}") from None
        except TimeoutError:
            raise Unreachable("no answer in time") from None
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(error.os_error.strerror or "no connection") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(type(error).__name__) from None


@asynccontextmanager
async def asking() -> AsyncIterator[Asking]:
    """Opens the session."""
    async with aiohttp.ClientSession() as session:
        yield Asking(session)
