"""The bytes of media: what people attach, and what the application's MediaUrl points to.

Keeps bytes within a bound and fetches outbound media; knows nothing of routes.
"""

import time
from collections import OrderedDict

import aiohttp

from parley_simulator.bodies import read_at_most
from parley_simulator.messages import Media, new_sid, now
from parley_simulator.request_log import Entry, Kind, RequestLog, without_secrets
from parley_simulator.webhooks import Courier

SHELF_BYTES = 256 * 1024 * 1024
LARGEST_IMAGE_BYTES = 5 * 1024 * 1024
LARGEST_OTHER_BYTES = 500 * 1024
MOST_PER_MESSAGE = 10
_ROOMY_TYPES = {"image/jpeg", "image/jpg", "image/png", "image/gif"}
_FETCH_LIMIT = aiohttp.ClientTimeout(total=10)


class MediaError(Exception):
    """Media that cannot be used, as a sentence."""


def check_size(content_type: str, size: int) -> None:
    """Refuse what Twilio would refuse by size."""
    largest = LARGEST_IMAGE_BYTES if content_type in _ROOMY_TYPES else LARGEST_OTHER_BYTES
    if size > largest:
        raise MediaError(f"{content_type} of {size} bytes, {largest} are allowed")


class MediaShelf:
    """Bytes by media SID; the oldest leave when there are too many."""

    def __init__(self, limit_bytes: int = SHELF_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._size = 0
        self._asked: dict[str, int] = {}

    def put(self, content_type: str, data: bytes) -> Media:
        """Keep bytes and return their record."""
        media = Media(sid=new_sid("ME"), content_type=content_type, created_at=now())
        self._kept[media.sid] = (content_type, data)
        self._size += len(data)
        while self._size > self._limit_bytes:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._size -= len(oldest)
        return media

    def get(self, sid: str) -> tuple[str, bytes] | None:
        """Return the content type and the bytes."""
        return self._kept.get(sid)

    def count_request(self, sid: str) -> int:
        """Return how often this medium was asked for, this time included."""
        self._asked[sid] = self._asked.get(sid, 0) + 1
        return self._asked[sid]

    def remove(self, sid: str) -> None:
        """Forget one medium."""
        gone = self._kept.pop(sid, None)
        self._asked.pop(sid, None)
        if gone:
            self._size -= len(gone[1])

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._asked.clear()
        self._size = 0


class MediaFetcher:
    """Gets what a MediaUrl points to, as Twilio does before it sends."""

    def __init__(self, courier: Courier, shelf: MediaShelf, log: RequestLog) -> None:
        self._courier = courier
        self._shelf = shelf
        self._log = log

    async def fetch(self, message_sid: str, url: str) -> Media:
        """Fetch one address onto the shelf, or raise MediaError."""
        started = time.perf_counter()
        status: int | None = None
        note = ""
        try:
            async with self._courier.session.get(url, timeout=_FETCH_LIMIT) as response:
                status = response.status
                return await self._take(response)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            note = "the media could not be fetched"
            raise MediaError(note) from error
        except MediaError as error:
            note = str(error)
            raise
        finally:
            entry = Entry(
                number=self._log.next_number(),
                at=now(),
                kind=Kind.MEDIA,
                method="GET",
                url=without_secrets(url),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                sid=message_sid,
                note=note,
            )
            self._log.write(entry)

    async def _take(self, response: aiohttp.ClientResponse) -> Media:
        if response.status != 200:
            raise MediaError(f"the media server answered {response.status}")
        content_type = response.content_type
        data = await read_at_most(response, LARGEST_IMAGE_BYTES)
        check_size(content_type, len(data))
        return self._shelf.put(content_type, data)
