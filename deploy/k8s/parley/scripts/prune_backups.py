"""Removes the oldest backups of a folder: prune_backups.py FOLDER KEEP.

Each backup is a folder with a backup.json, which is written last. One without it was not finished, and goes when
it is two days old: no backup takes that long. Nothing else in the folder is touched.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

_UNFINISHED_FOR_S = 2 * 86_400
_PARTS = ("*.snapshot", "backup.json.new")


def to_remove(folder: Path, keep: int, now: float) -> list[Path]:
    """The folders that go: all finished ones but the newest ``keep``, and what was never finished."""
    found = [
        path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and os.access(path, os.X_OK)
    ]
    finished = sorted((path for path in found if (path / "backup.json").is_file()), key=_taken)
    broken = (path for path in found if any(next(path.glob(part), None) for part in _PARTS))
    old = [path for path in broken if path not in finished and now - path.stat().st_mtime > _UNFINISHED_FOR_S]
    return finished[: max(0, len(finished) - keep)] + old


def main(folder: str, keep: str) -> None:
    """Removes them; any failure ends the Job as failed."""
    for path in to_remove(Path(folder), int(keep), time.time()):
        shutil.rmtree(path)
        sys.stdout.write(f"removed {path}\n")


def _taken(path: Path) -> float:
    return (path / "backup.json").stat().st_mtime


if __name__ == "__main__":
    main(*sys.argv[1:])
