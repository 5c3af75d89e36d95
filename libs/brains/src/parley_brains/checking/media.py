"""Files that an agent sends: there, small enough, and of a type that Twilio takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from parley_brains.agent_file import AgentFile
from parley_brains.brain import Kind
from parley_brains.checking.findings import Finding, shown
from parley_brains.checking.lines import Key
from parley_brains.checking.walking import all_words
from parley_brains.wording import Wording, message
from parley_common.domain.media_limits import FITTED, MOST_BYTES, MOST_BYTES_OF_OTHERS, MOST_FILES

_TAKEN = FITTED | {
    *("image/bmp", "image/tiff", "image/heic", "image/heif", "image/webp"),
    *("text/vcard", "text/x-vcard", "text/csv", "text/rtf", "text/richtext", "text/calendar", "text/directory"),
    *("application/pdf", "application/vcard", "application/rtf", "application/vnd.apple.pkpass"),
}
_TAKEN_KINDS = ("audio/", "video/")


def media_findings(file: AgentFile, folder: Path) -> Iterator[Finding]:
    """What is wrong with the files of every answer. ``folder``: where the agent's files are."""
    for path, words in all_words(file):
        if isinstance(words, Wording):
            yield from _of_wording(words, (*path, "media"), folder)


def _of_wording(words: Wording, path: Key, folder: Path) -> Iterator[Finding]:
    if len(words.media) > MOST_FILES:
        what = f"{shown(path)} has {len(words.media)} files"
        yield Finding(path, what, f"Twilio takes {MOST_FILES} with one message: leave some out")
    sizes = [size for source in words.media if (size := _size(folder / source)) is not None]
    if max(sizes, default=0) <= MOST_BYTES < sum(sizes):
        what = f"{shown(path)}: all files together have {_megabytes(sum(sizes))}"
        yield Finding(path, what, "Twilio takes 5 MB with one message: leave some out")
    sent = message(words, Kind.SMS, folder).files
    for number, (source, file) in enumerate(zip(words.media, sent, strict=True)):
        yield from _of_file((*path, number), source, file.content_type, folder)


def _of_file(path: Key, source: str, content_type: str, folder: Path) -> Iterator[Finding]:
    if "://" in source:
        yield from _of_url(path, source)
        return
    size = _size(folder / source)
    if not _is_inside(folder / source, folder):
        fix = "put it beside the agent file, under a name without a dot in front"
        yield Finding(path, f"{shown(path)}: {source} is hidden or outside the agent's folder", fix)
    elif size is None:
        yield Finding(path, f"{shown(path)}: there is no file {folder / source}", "put it there, or mend the name")
    else:
        yield from _of_type(path, source, content_type)
        yield from _of_size(path, source, content_type, size)


def _of_url(path: Key, source: str) -> Iterator[Finding]:
    if not source.startswith("https://") or not urlsplit(source).hostname:
        fix = "write an https URL, or the name of a file beside the agent file"
        yield Finding(path, f"{shown(path)}: {source} is no https URL", fix)


def _of_type(path: Key, source: str, content_type: str) -> Iterator[Finding]:
    if content_type not in _TAKEN and not content_type.startswith(_TAKEN_KINDS):
        what = f"{shown(path)}: Twilio takes no {content_type} ({source})"
        yield Finding(path, what, "send a JPEG, PNG, GIF, PDF, vCard, audio or video, or put a link into the text")


def _of_size(path: Key, source: str, content_type: str, size: int) -> Iterator[Finding]:
    most = MOST_BYTES if content_type in FITTED else MOST_BYTES_OF_OTHERS
    if size == 0:
        yield Finding(path, f"{shown(path)}: {source} is empty", "put another file there")
    elif size > most:
        what = f"{shown(path)}: {source} has {_megabytes(size)}"
        fix = f"Twilio takes {_megabytes(most)} of {content_type}: make it smaller, or put a link into the text"
        yield Finding(path, what, fix)


def _size(path: Path) -> int | None:
    """Bytes of a file, None where none is."""
    return path.stat().st_size if path.is_file() else None


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether the service would send it: nothing hidden, and no link that leads out of the folder."""
    real, root = path.resolve(), folder.resolve()
    return real.is_relative_to(root) and not any(part.startswith(".") for part in real.relative_to(root).parts)
