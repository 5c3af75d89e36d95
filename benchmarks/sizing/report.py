"""The figures as a table of Markdown, for docs/scale.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sizing.load import Load
from sizing.usage import Usage


def report(load: Load, idle: Usage, before: Usage, after: Usage) -> str:
    """``idle``: after the start, ``before`` and ``after`` the load."""
    return "\n".join([*_processes(load, idle, before, after), "", *_storage(load, before, after)])


def _processes(load: Load, idle: Usage, before: Usage, after: Usage) -> Iterator[str]:
    yield f"{load.total} texts of {load.people} people, each answered and delivered"
    yield ""
    yield "| process | ms of processor a text | MiB idle | MiB after |"
    yield "|---|--:|--:|--:|"
    for name, spent_s in after.cpu_s.items():
        ms = (spent_s - before.cpu_s[name]) * 1_000 / load.total
        yield f"| {name} | {ms:.2f} | {idle.memory_mib[name]:.0f} | {after.memory_mib[name]:.0f} |"


def _storage(load: Load, before: Usage, after: Usage) -> Iterator[str]:
    yield "| what is stored | messages a text | bytes a text |"
    yield "|---|--:|--:|"
    for name in after.messages:
        messages = _a_text(load, before.messages, after.messages, name)
        yield f"| {name} | {messages} | {_a_text(load, before.bytes, after.bytes, name)} |"
    yield f"| database (SQLite) | | {(after.database_bytes - before.database_bytes) / load.total:.0f} |"


def _a_text(load: Load, before: Mapping[str, int], after: Mapping[str, int], name: str) -> str:
    value = (after[name] - before[name]) / load.total
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"
