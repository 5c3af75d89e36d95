"""What is wrong with the commands, menus and questions of an agent file. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from parley_brains.agent_file import AgentFile
from parley_brains.answering import spoken
from parley_brains.checking.findings import Finding, shown
from parley_brains.checking.lines import Key
from parley_brains.scripted.checking_menus import menu_findings
from parley_brains.scripted.checking_questions import question_findings
from parley_brains.scripted.filling import RESULT
from parley_brains.scripted.words import called, heard
from parley_common.domain.keywords import classify_keyword
from parley_common.settings import SettingsError


def script_findings(file: AgentFile) -> Iterator[Finding]:
    """All that is wrong with a script beside its commands' names."""
    yield from _word_findings(file)
    yield from menu_findings(file)
    yield from question_findings(file)


def filled_at(file: AgentFile, key: Key) -> frozenset[str]:
    """What is filled in at a key besides what is filled everywhere: the slots of a command, and its result."""
    command = file.commands.get(str(key[1])) if key[:1] == ("commands",) and len(key) > 1 else None
    if command is None:
        return frozenset()
    slots = {question.slot for question in command.questions}
    return frozenset(slots | {RESULT} if command.tool and "reply" in key[2:3] else slots)


def refuse(file: AgentFile) -> None:
    """Raises ``SettingsError`` for a script that cannot be followed."""
    for finding in script_findings(file):
        if not finding.suspicious:
            raise SettingsError(f"{finding.what}; {finding.fix}")


def _word_findings(file: AgentFile) -> Iterator[Finding]:
    """Words that call nothing, that carriers act on, or that mean two things."""
    first: dict[str, Key] = {spoken(name): ("commands", name) for name in file.commands}
    first |= {spoken(word): ("handoff", "words", place) for place, word in enumerate(file.handoff.words)}
    for path, word in _texted(file):
        plain = heard(word)
        is_phrase = path[0] in ("leave_words", "small_talk") or ("also" in path and len(word.split()) > 1)
        if not plain or (not is_phrase and (word.split() != [word] or called(word) != word.upper())):
            yield Finding(path, f"{shown(path)}: {word!r} can't be called", "write one word without marks")
        elif classify_keyword(word) is not None:
            what = f"{shown(path)}: {word!r} is a word carriers act on, it never gets here"
            yield Finding(path, what, "choose another")
        elif plain in first:
            yield Finding(path, f"{shown(path)} is the same word as {shown(first[plain])}", "keep one")
        first.setdefault(plain, path)


def _texted(file: AgentFile) -> Iterator[tuple[Key, str]]:
    for name, command in file.commands.items():
        for place, word in enumerate(command.also):
            yield ("commands", name, "also", place), word
    for name, menu in file.menus.items():
        yield ("menus", name), name
        for place, word in enumerate(menu.also):
            yield ("menus", name, "also", place), word
    for number, talk in enumerate(file.small_talk):
        for place, word in enumerate(talk.words):
            yield ("small_talk", number, "words", place), word
    for place, word in enumerate(file.leave_words):
        yield ("leave_words", place), word
