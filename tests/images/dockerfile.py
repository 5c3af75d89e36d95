"""Reads the Dockerfile and .dockerignore well enough to ask what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from images.podman import ROOT

FILE = ROOT / "deploy" / "docker" / "Dockerfile"
IGNORE = ROOT / ".dockerignore"

_STAGE = re.compile(r"(\S+)(?: AS (\S+))?")


@dataclass(frozen=True)
class Line:
    """An instruction. ``stage``: the name of its stage, empty for the last and before the first."""

    stage: str
    instruction: str
    rest: str


def lines() -> list[Line]:
    """All instructions, each on one line."""
    text = "\n".join(line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("#"))
    found: list[Line] = []
    stage = ""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            instruction, _, rest = line.strip().partition(" ")
            if instruction == "FROM":
                stage = _stage_name(rest)
            found.append(Line(stage, instruction, " ".join(rest.split())))
    return found


def of(instruction: str) -> list[Line]:
    """All of one kind."""
    return [line for line in lines() if line.instruction == instruction]


def sources() -> Iterator[str]:
    """What the build takes from its context."""
    for line in of("COPY"):
        words = [word for word in line.rest.split() if not word.startswith("--")]
        if "--from=" not in line.rest:
            yield from words[:-1]
    for line in of("RUN"):
        yield from re.findall(r"--mount=type=bind,source=([^,\s]+)", line.rest)


def is_sent(path: str) -> bool:
    """Whether a file of the project is part of the context; the last pattern that fits decides."""
    sent = True
    for pattern in IGNORE.read_text().splitlines():
        if pattern and not pattern.startswith("#") and _fits(pattern.removeprefix("!"), path):
            sent = pattern.startswith("!")
    return sent


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern means this path or a folder that it is in."""
    expression = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    expression = expression.replace(r"\[", "[").replace(r"\]", "]")
    return re.fullmatch(f"{expression}(?:/.*)?", path) is not None


def _stage_name(rest: str) -> str:
    found = _STAGE.fullmatch(rest.strip())
    assert found is not None, rest
    return found[2] or ""
