"""Reads an agent file and finds all that is wrong with it, each on its line.

The start of a service refuses the same mistakes: both ask ``check``.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from parley_brains.agent_file import AgentFile
from parley_brains.checking.brains import brain_findings, limit_findings
from parley_brains.checking.findings import Finding, Remark
from parley_brains.checking.lines import Key, find_lines, line_of
from parley_brains.checking.media import media_findings
from parley_brains.checking.replies import reply_findings
from parley_brains.checking.shapes import fallback, misfits
from parley_brains.checking.tools import tool_findings
from parley_brains.checking.words import word_findings
from parley_brains.scripted.checking import script_findings
from parley_common.settings import Environment, SettingsError

_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")

_OF_SCRIPT = {"commands", "menus", "tools", "handoff", "leave_words", "small_talk"}
_OF_BRAIN = {"brain", "llm", "webhook", "tools", "knowledge"}
"""What each needs as it is meant: with a part taken out it would be blamed for what the part would have mended."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An agent file as it was read. ``file``: None where it is no agent file at all."""

    path: Path
    file: AgentFile | None
    remarks: tuple[Remark, ...]

    @property
    def errors(self) -> tuple[Remark, ...]:
        """What keeps an agent from starting."""
        return tuple(remark for remark in self.remarks if not remark.suspicious)

    def accepted(self) -> AgentFile:
        """The file; raises ``SettingsError`` with its first mistake."""
        errors = self.errors
        if self.file is not None and not errors:
            return self.file
        first, more = errors[0], len(errors) - 1
        rest = f" ({more} more: parley agent check {self.path})" if more else ""
        raise SettingsError(f"agent file {self.path}:{first.line}: {first}{rest}")


def check(path: Path, environment: Environment) -> Checked:
    """All that is wrong with a file; raises ``SettingsError`` where it cannot be read at all."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = f"agent file {path} cannot be read: {error.strerror}"
        raise SettingsError(f"{reason}; set PARLEY_AGENT_FILE to one that can") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _unread(path, Remark(line, "this is no text in UTF-8", "save the file as UTF-8"))
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _unread(path, _syntax(text, error))
    file, findings = _read(document, path.parent, environment)
    lines = find_lines(text)
    remarks = {Remark(line_of(lines, one.key), one.what, one.fix, one.suspicious) for one in findings}
    return Checked(path=path, file=file, remarks=tuple(sorted(remarks)))


def _read(
    document: dict[str, object], folder: Path, environment: Environment
) -> tuple[AgentFile | None, Sequence[Finding]]:
    found = list(misfits(document, AgentFile))
    if found:
        return None, [*found, *_of_the_rest(document, found, folder, environment)]
    try:
        file = msgspec.convert(document, AgentFile)
    except msgspec.ValidationError as error:
        return None, [fallback(error)]
    return file, list(_meant(file, folder, environment))


def _meant(file: AgentFile, folder: Path, environment: Environment) -> Iterator[Finding]:
    """What is wrong with a file that is one."""
    yield from word_findings(file)
    yield from script_findings(file)
    yield from reply_findings(file)
    yield from media_findings(file, folder)
    yield from tool_findings(file, environment)
    yield from limit_findings(file)
    yield from brain_findings(file, folder, environment)


def _of_the_rest(
    document: dict[str, object], found: Sequence[Finding], folder: Path, environment: Environment
) -> Iterator[Finding]:
    """What is wrong with a file beside what keeps it from being one, as far as that can be told without that."""
    broken: list[Key] = []
    while found:
        broken += [one.key for one in found]
        for key in broken:
            _take_out(document, key)
        found = [one for one in misfits(document, AgentFile) if one.key not in broken]
    try:
        file = msgspec.convert(document, AgentFile)
    except msgspec.ValidationError:
        return
    yield from word_findings(file)
    yield from media_findings(file, folder)
    yield from tool_findings(file, environment)
    yield from limit_findings(file)
    tables = {key[0] for key in broken if key}
    if tables.isdisjoint(_OF_SCRIPT) and tables <= set(AgentFile.__struct_fields__):
        yield from script_findings(file)
    if tables.isdisjoint(_OF_BRAIN) and tables <= set(AgentFile.__struct_fields__):
        yield from (one for one in brain_findings(file, folder, environment) if one.key)
    parts = {key[:2] for key in broken}
    yield from (one for one in reply_findings(file) if one.key[:2] not in parts)


def _take_out(table: object, key: Key) -> None:
    """Removes a key; of a list, all of it."""
    names = list(itertools.takewhile(lambda step: isinstance(step, str), key))
    for name in names[:-1]:
        table = table.get(name) if isinstance(table, dict) else None
    if names and isinstance(table, dict):
        table.pop(names[-1], None)


def _unread(path: Path, remark: Remark) -> Checked:
    return Checked(path=path, file=None, remarks=(remark,))


def _syntax(text: str, error: tomllib.TOMLDecodeError) -> Remark:
    found = _AT_LINE.search(str(error))
    line = int(found[1]) if found and found[1] else _last_line(text)
    what = _AT_LINE.sub("", str(error))
    return Remark(line, f"this is not TOML: {what[:1].lower()}{what[1:]}", _syntax_fix(what))


def _last_line(text: str) -> int:
    """Where something begins that the document's end leaves open: the last long text, if it is one."""
    opened = max(text.rfind(quotes) for quotes in ('"""', "'''"))
    is_open = opened >= 0 and text.count(text[opened : opened + 3]) % 2 == 1
    return text.count("\n", 0, opened) + 1 if is_open else text.rstrip().count("\n") + 1


def _syntax_fix(what: str) -> str:
    """Mends what people write most often."""
    if "Cannot overwrite" in what or "twice" in what:
        return "keep one of the two"
    if "Unterminated" in what or "Illegal character" in what:
        return 'close the quotes, or use """ for a text of several lines'
    if "Invalid value" in what:
        return 'put texts in quotes, like "…"'
    if "Unescaped" in what:
        return r"write \\ for a backslash, or put the text in single quotes"
    return "write it as https://toml.io shows"
