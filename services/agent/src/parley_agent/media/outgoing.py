"""What a brain sends along: an https URL passes as it is, a file of the agent's folder goes into the bucket.

What Twilio would not take is left out with a line in the log, and the text goes without it.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from parley_agent.media.types import true_type
from parley_brains.answering import MOST_MESSAGES
from parley_brains.brain import File, Message, Said
from parley_common.bus import BROKER_TROUBLE
from parley_common.domain.media_limits import FITTED, MOST_BYTES, MOST_BYTES_OF_OTHERS, MOST_FILES
from parley_common.media_links import hosted_url, out_name
from parley_common.media_store import BucketFull, MediaStore

_LONGEST_URL = 2_048
_AT_ONCE = 8
WITHIN_S = 10.0
"""For all files of an answer, where the caller says nothing else."""

_RETRY_S = 0.5

log = structlog.get_logger(__name__)


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The file does not go out; the message says why."""


@dataclass
class _Limit:
    """The time for all files of one answer, and how many came to nothing since it was over."""

    ends_at_s: float
    left_out: int = 0


class Outgoing:
    """Hosts the files of one agent's ``folder``."""

    def __init__(self, store: MediaStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def hosted(self, said: Said, conversation: str, *, within_s: float = WITHIN_S) -> Said:
        """The same answer, with every file at an address that egress can make a link of.

        That takes ``within_s`` at most, waiting for others included: what is not there then is left out. Messages
        that are too many to be sent are left out too.
        """
        sent = said.messages[:MOST_MESSAGES]
        if not any(message.files for message in sent):
            return said
        limit = _Limit(asyncio.get_running_loop().time() + within_s)
        messages = [await self._hosted(message, conversation, limit) for message in sent]
        if limit.left_out:
            reason = f"the broker did not take them within {within_s:g} s"
            log.error("files are not sent", conversation=conversation, reason=reason, files=limit.left_out)
        return replace(said, messages=tuple(messages))

    async def _hosted(self, message: Message, conversation: str, limit: _Limit) -> Message:
        found: list[File] = []
        left = MOST_BYTES
        for file in message.files:
            try:
                if len(found) == MOST_FILES:
                    raise Refused(f"a message takes {MOST_FILES} files")
                if "://" in file.source:
                    check_url(file.source)
                    found.append(file)
                elif limit.left_out:
                    limit.left_out += 1
                else:
                    async with asyncio.timeout_at(limit.ends_at_s):
                        hosted, size = await self._kept(file, left)
                    left -= size
                    found.append(hosted)
            except Refused as error:
                log.error("a file is not sent", conversation=conversation, reason=str(error))
            except TimeoutError:
                limit.left_out += 1
            except Exception:  # whatever it was, the words are sent
                log.exception("a file is not sent", conversation=conversation)
        return replace(message, files=tuple(found))

    async def _kept(self, file: File, most_bytes: int) -> tuple[File, int]:
        async with self._places:
            data = await asyncio.to_thread(read_file, Path(file.source), self._folder)
            content_type = true_type(data, file.content_type)
            if content_type is None:
                raise Refused(f"{file.content_type} is no type that is sent, or the file is of another")
            most_of_type = MOST_BYTES if content_type in FITTED else MOST_BYTES_OF_OTHERS
            if len(data) > min(most_of_type, most_bytes):
                raise Refused(
                    f"{content_type} of {len(data)} bytes: Twilio takes {most_of_type}, {MOST_BYTES} in a message"
                )
            name = out_name(data)
            await self._put(name, data, content_type)
        return File(source=hosted_url(name), content_type=content_type), len(data)

    async def _put(self, name: str, data: bytes, content_type: str) -> None:
        """Tries again while the broker is gone, until the caller's time is over."""
        try:
            while not await self._was_put(name, data, content_type):
                await asyncio.sleep(_RETRY_S)
        except BucketFull:
            raise Refused("the bucket of media is full: raise PARLEY_MEDIA_MAX_BYTES") from None

    async def _was_put(self, name: str, data: bytes, content_type: str) -> bool:
        try:
            await self._store.put(name, data, content_type)
        except BROKER_TROUBLE as error:
            log.info("a file waits for the broker", error=type(error).__name__)
            return False
        return True


def check_url(url: str) -> None:
    """Raises ``Refused`` where Twilio could not fetch it, or where it would tell a secret."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        is_good = False
    if not is_good or not url.isascii() or not url.isprintable() or " " in url:
        raise Refused("its address is no https URL, or names a user")
    if len(url) > _LONGEST_URL:
        raise Refused(f"its URL is longer than {_LONGEST_URL} characters")


def read_file(path: Path, folder: Path) -> bytes:
    """A file of the folder, be it in one below: no link leads out of it, and nothing hidden is read."""
    try:
        real, root = path.resolve(strict=True), folder.resolve(strict=True)
        if not real.is_relative_to(root):
            raise Refused("a file is outside the folder of the agent's file")
        inside = real.relative_to(root).parts
        if not inside or any(part.startswith(".") for part in inside):
            raise Refused("a file is hidden")
        return _read(real, inside)
    except (OSError, ValueError) as error:
        raise Refused(f"a file of the agent's folder cannot be read: {type(error).__name__}") from None


def _read(path: Path, inside: Sequence[str]) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Refused(f"{'/'.join(inside)} is no file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(f"{'/'.join(inside)} is larger than {MOST_BYTES} bytes")
    return data
