"""The tables of metrics in ``docs/telemetry.md``, for whoever names a metric elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the tables: a metric, who emits it, its labels with the values that stand there."""

    name: str
    kind: str
    services: tuple[str, ...]
    labels: Mapping[str, frozenset[str]]
    watches: tuple[str, ...]


def rows() -> Iterator[Row]:
    """The tables of the section on metrics."""
    page = (DOCS / "telemetry.md").read_text(encoding="utf-8")
    section = page[page.index("\n## Metrics\n") : page.index("\n## Traces\n")]
    for part in section.split("\n### ")[1:]:
        heading, _, body = part.partition("\n")
        for line in re.findall(r"^\| `parley_.*$", body, re.MULTILINE):
            name, kind, labels, _, watches, _ = (cell.strip() for cell in line.strip("|").split(" | ", 5))
            yield Row(
                name=name.strip("`"),
                kind=kind,
                services=tuple(heading.split(", ")),
                labels=dict(_label(text) for text in labels.split(";")) if labels != "–" else {},
                watches=tuple(re.findall(r"P\d+", watches)),
            )


def _label(text: str) -> tuple[str, frozenset[str]]:
    name, *values = re.findall(r"`([^`]+)`", text)
    return name, frozenset(values)


ROWS = tuple(rows())


def shown_name(name: str, kind: str) -> str:
    """The name as queries have it."""
    return f"{name}_total" if kind == "counter" else name
