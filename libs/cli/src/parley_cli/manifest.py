"""What a backup says about itself: ``backup.json`` beside one file for each stream. Knows files, no broker."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from parley_cli.snapshots import Described
from parley_cli.words import Refused
from parley_common import topology

FORMAT = 1
NAME = "backup.json"

IN_ORDER = (
    topology.CONTROL,
    topology.CONVERSATIONS,
    topology.REPORTS,
    topology.DEAD_LETTERS,
    topology.COUNTERS,
    topology.CONSENT,
)
"""The order in which streams are saved, see docs/decisions/0008.

What says that something is in another stream is saved before it, what is needed to read another stream after it:
how far Twilio's log was read before the texts, proofs and STOPs after the texts they speak of.
"""

_PIECE = 1024 * 1024


class SavedStream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream in a backup: its file, the file's sum, and what JetStream said of the stream."""

    name: str
    file: str
    sha256: str
    stream: Described


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``taken_at``: when the backup was begun. ``key``: tells hash keys apart, empty where none was set."""

    format: int
    taken_at: datetime
    streams: tuple[SavedStream, ...]
    key: str = ""

    def named(self, stream: str) -> SavedStream:
        """What was saved of a stream."""
        return next(saved for saved in self.streams if saved.name == stream)


class _Format(msgspec.Struct, frozen=True):
    """What every format of a manifest has."""

    format: int


@contextmanager
def written(path: Path) -> Iterator[Callable[[bytes], str]]:
    """A file of the operator's own that lasts once the block ends; writing returns the sum of all so far."""
    total = hashlib.sha256()
    with _on_disk(path):
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    with file:

        def write(data: bytes) -> str:
            with _on_disk(path):
                file.write(data)
            total.update(data)
            return total.hexdigest()

        yield write
        with _on_disk(path):
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """The disk's trouble in the operator's words, so that nobody takes it for the broker's."""
    try:
        yield
    except OSError as error:
        raise Refused(f"{path.parent} cannot be written ({error.strerror}): free space or name another") from None


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Writes ``backup.json``, last and in one piece: a backup without it was not finished."""
    draft = directory / f"{NAME}.new"
    with written(draft) as write:
        write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    draft.replace(directory / NAME)
    handle = os.open(directory, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a whole backup; raises ``Refused`` where a file is missing, foreign or damaged."""
    try:
        data = (directory / NAME).read_bytes()
        _check_format(directory, msgspec.json.decode(data, type=_Format).format)
        manifest = msgspec.json.decode(data, type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(f"{directory} is no backup: it has no {NAME}, name the folder of a finished one") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused(f"{directory / NAME} cannot be read: take another backup, this one is damaged") from None
    if missing := sorted(set(IN_ORDER) - {saved.name for saved in manifest.streams}):
        raise Refused(f"{directory / NAME} does not name {missing[0]}: take another backup, this one is damaged")
    for saved in manifest.streams:
        _check_sum(directory / Path(saved.file).name, saved.sha256)
    return manifest


def _check_format(directory: Path, found: int) -> None:
    if found != FORMAT:
        raise Refused(
            f"{directory} is a backup of format {found}, this release reads {FORMAT}: "
            "restore it with the release that took it"
        )


def _check_sum(path: Path, expected: str) -> None:
    total = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                total.update(piece)
    except FileNotFoundError:
        raise Refused(f"{path} is missing: take another backup, this one is not whole") from None
    if total.hexdigest() != expected:
        raise Refused(f"{path} is damaged: its SHA-256 is not the one in {NAME}, take another backup")
