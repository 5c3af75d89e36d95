"""Agent files for tests: written to a folder, and what checking them says."""

from __future__ import annotations

from pathlib import Path

from parley_brains.checking.file import check

FALLBACK = 'fallback = "f"\n'


def written(folder: Path, toml: str) -> Path:
    """An agent file with this text."""
    path = folder / "agent.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def mistakes(folder: Path, toml: str, **environment: str) -> list[str]:
    """What keeps such a file from being used, each with its line."""
    return [f"{one.line}: {one}" for one in check(written(folder, toml), environment).errors]


def warnings(folder: Path, toml: str, **environment: str) -> list[str]:
    """What is told of a file that can be used."""
    checked = check(written(folder, toml), environment)
    assert not checked.errors
    return [f"{one.line}: {one}".replace(": warning", "") for one in checked.remarks]
