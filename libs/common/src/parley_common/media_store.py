"""The bucket of media: what people attached to their texts, and the files that go out.

Written as every client of NATS writes objects, so that ``nats object`` can look into it: the bytes in pieces on a
subject of their own, then one record that names it. Read from the stream's leader, without a consumer: a thousand
conversations with pictures make none. Only hashes stand in subjects, and names hold no number.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import structlog
from nats.js.errors import APIError

from parley_common import topology
from parley_common.bus import Bus
from parley_common.domain.media_limits import MOST_BYTES
from parley_common.media_links import GOOD_FOR

_CHUNK = 128 * 1024
_WITHIN_S = 15.0
_TOO_MANY_BYTES = 10077
_LOOK_EVERY_S = 1.0
_SUM = "SHA-256="
_CONTENT_TYPE = "Content-Type"

log = structlog.get_logger(__name__)


class BucketFull(Exception):  # noqa: N818 - a state of the bucket, not a fault
    """The bucket holds ``PARLEY_MEDIA_MAX_BYTES``: nothing more is kept until something has grown old."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """An object that is in the bucket. ``stored_at``: the broker's clock."""

    name: str
    content_type: str
    size: int
    digest: str
    nuid: str
    stored_at: datetime


@dataclass(frozen=True)
class Medium:
    """An object's bytes and MIME type."""

    data: bytes
    content_type: str


class _Options(msgspec.Struct, frozen=True):
    max_chunk_size: int = _CHUNK


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What NATS writes of an object."""

    name: str
    bucket: str
    nuid: str
    size: int
    chunks: int
    digest: str = ""
    deleted: bool = False
    headers: dict[str, list[str]] = {}
    options: _Options = _Options()


class MediaStore:
    """Keeps and gives media. Everything here raises ``BROKER_TROUBLE`` where the broker is gone or slow."""

    def __init__(self, bus: Bus, *, kept_s: float) -> None:
        self.bus = bus
        self._kept = timedelta(seconds=kept_s)
        self._fresh = self._kept / 2
        self._filled, self._most, self._looked_s = 0, -1, float("-inf")
        self._has_told = False

    async def put(self, name: str, data: bytes, content_type: str, *, of_bucket: float = 1.0) -> Held:
        """Keeps the bytes under a name, once; what is halfway to its end is kept anew.

        ``of_bucket``: how much of the bucket may be full then. Raises ``BucketFull``, but not where the bytes are
        there and stay for as long as a link is good.
        """
        if len(data) > MOST_BYTES:
            raise ValueError(f"{len(data)} bytes are more than the {MOST_BYTES} that one object may have")
        async with asyncio.timeout(_WITHIN_S):
            held = await self._find(name)
            age = datetime.now(UTC) - held.stored_at if held is not None else timedelta()
            if held is not None and age < self._fresh:
                return held
            try:
                if of_bucket < 1.0:
                    await self._check_room(len(data), of_bucket)
                return await self._store(name, data, content_type)
            except BucketFull:
                if held is None or self._kept - age < GOOD_FOR:
                    raise
                self._tell_full()
                return held

    async def find(self, name: str) -> Held | None:
        """What is kept under a name, None where nothing is."""
        async with asyncio.timeout(_WITHIN_S):
            return await self._find(name)

    async def get(self, name: str) -> Medium | None:
        """The bytes kept under a name, None where they are gone."""
        async with asyncio.timeout(_WITHIN_S):
            for _ in range(2):  # once more where it was stored anew meanwhile
                held = await self._find(name)
                if held is None:
                    return None
                data = await self._read(held)
                if data is not None:
                    return Medium(data=data, content_type=held.content_type)
            return None

    async def _find(self, name: str) -> Held | None:
        raw = await self.bus.raw(topology.MEDIA_STREAM, topology.media_record(name))
        if raw is None:
            return None
        try:
            record = msgspec.json.decode(raw.data or b"", type=_Record)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        if record.deleted:
            return None
        return Held(
            name=name,
            content_type=next(iter(record.headers.get(_CONTENT_TYPE, [])), "application/octet-stream"),
            size=record.size,
            digest=record.digest,
            nuid=record.nuid,
            stored_at=raw.time or datetime.now(UTC),
        )

    async def _store(self, name: str, data: bytes, content_type: str) -> Held:
        """Pieces first, the record last: nobody finds half an object. Pieces without a record grow old unseen."""
        nuid = secrets.token_hex(11)
        subject = topology.media_chunks(nuid)
        pieces = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
        for piece in pieces:
            await self._publish(subject, piece)
        record = _Record(
            name=name,
            bucket=topology.MEDIA,
            nuid=nuid,
            size=len(data),
            chunks=len(pieces),
            digest=_digest(data),
            headers={_CONTENT_TYPE: [content_type]},
        )
        body, headers = msgspec.json.encode(record), {"Nats-Rollup": "sub"}
        await self._publish(topology.media_record(name), body, headers)
        return Held(
            name=name,
            content_type=content_type,
            size=len(data),
            digest=record.digest,
            nuid=nuid,
            stored_at=datetime.now(UTC),
        )

    async def _publish(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        try:
            await self.bus.js.publish(subject, data, headers=headers)
        except APIError as error:
            if error.err_code == _TOO_MANY_BYTES:
                raise BucketFull(str(error.description)) from None
            raise

    async def _check_room(self, size: int, of_bucket: float) -> None:
        """Raises ``BucketFull`` where so much of it is full. The broker is asked once a second at most."""
        if time.monotonic() - self._looked_s > _LOOK_EVERY_S:
            asked_s = time.monotonic()
            info = await self.bus.js.stream_info(topology.MEDIA_STREAM)
            self._filled, self._most, self._looked_s = info.state.bytes, info.config.max_bytes or -1, asked_s
        if self._most > 0 and self._filled + size > of_bucket * self._most:
            raise BucketFull(f"{self._filled} bytes of {self._most} are taken")
        self._filled += size

    def _tell_full(self) -> None:
        if not self._has_told:
            log.error("the bucket of media is full, old files are not kept anew: raise PARLEY_MEDIA_MAX_BYTES")
        self._has_told = True

    async def _read(self, held: Held) -> bytes | None:
        """The object's bytes, None where they are not all there any more."""
        subject, data, seq = topology.media_chunks(held.nuid), bytearray(), 0
        while len(data) < held.size:
            raw = await self.bus.raw(topology.MEDIA_STREAM, subject, seq=seq + 1, following=True)
            if raw is None:
                return None
            data += raw.data or b""
            seq = raw.seq or seq + 1
        found = bytes(data)
        return found if _digest(found) == held.digest else None


def _digest(data: bytes) -> str:
    return _SUM + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
