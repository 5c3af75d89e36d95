"""Reads the folder of knowledge; what cannot be read keeps the agent from starting, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from parley_brains.knowledge.passages import Passage, split
from parley_common.settings import SettingsError

MOST_BYTES = 1_000_000
"""Of one file: some 150,000 words."""

MOST_PASSAGES = 20_000


def read_folder(folder: Path) -> list[Passage]:
    """The passages of all files that end in ``.md``, by name. Raises ``SettingsError`` naming the file."""
    if not folder.is_dir():
        raise SettingsError(f"knowledge: there is no folder {folder}; make it, or take knowledge out")
    passages: list[Passage] = []
    for path in _files(folder):
        source = path.relative_to(folder).as_posix()
        passages += split(_read(path), source)
        if len(passages) > MOST_PASSAGES:
            raise SettingsError(
                f"knowledge: with {path} there are more than {MOST_PASSAGES} passages in {folder}; leave some out"
            )
    if not passages:
        raise SettingsError(f"knowledge: no Markdown is in {folder}; put files that end in .md there")
    return passages


def _files(folder: Path) -> Iterator[Path]:
    """What is hidden is left out: editors and git keep files of their own there."""
    for path in sorted(folder.rglob("*.md")):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts) and not path.is_dir():
            yield path


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"knowledge: {path} cannot be read: {error.strerror}; mend or remove it") from None
    if len(data) > MOST_BYTES:
        raise SettingsError(f"knowledge: {path} has more than {MOST_BYTES} bytes; split it into several files")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"knowledge: {path} is no UTF-8 in line {line}; save it as UTF-8") from None
