"""Words that people text: none may be one that carriers act on, none may mean two things. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from parley_brains.agent_file import AgentFile
from parley_brains.answering import spoken
from parley_brains.checking.findings import Finding, shown
from parley_brains.checking.lines import Key
from parley_brains.scripted.words import called
from parley_common.domain.keywords import classify_keyword
from parley_common.domain.refusals import is_refusal
from parley_common.events import Keyword

_TAKEN = {
    Keyword.STOP: "Twilio takes it for STOP and blocks the person",
    Keyword.START: "Twilio takes it for START",
    Keyword.HELP: "Twilio takes it for HELP and answers itself",
}


def word_findings(file: AgentFile) -> Iterator[Finding]:
    """What is wrong with the names of commands and the words of a handoff, and with what they leave unheard.

    The other words of a script are looked at with the script.
    """
    texted = list(_texted(file))
    for name in file.commands:
        yield from _uncallable(name)
    for path, word in texted:
        yield from _carrier_findings(path, word)
    for path, word in (*texted, *_labels(file)):
        yield from _refusal_findings(path, word)
    yield from _collisions(texted)
    yield from _overheard(file)


def _texted(file: AgentFile) -> Iterator[tuple[Key, str]]:
    """Where each word stands that means something whenever it is texted."""
    for word in file.commands:
        yield ("commands", word), word
    for number, word in enumerate(file.handoff.words):
        yield ("handoff", "words", number), word
    for number, word in enumerate(file.handoff.back_words):
        yield ("handoff", "back_words", number), word


def _labels(file: AgentFile) -> Iterator[tuple[Key, str]]:
    for name, menu in file.menus.items():
        for number, choice in enumerate(menu.choices):
            yield ("menus", name, "choices", number, "label"), choice.label


def _uncallable(word: str) -> Iterator[Finding]:
    if word.split() != [word] or called(word) != word.upper():
        yield Finding(("commands", word), f"command {word!r} can't be called", "write one word without marks")


def _carrier_findings(path: Key, word: str) -> Iterator[Finding]:
    keyword = classify_keyword(word)
    if keyword is not None:
        what = f"{shown(path)}: {word!r} is a word carriers act on ({_TAKEN[keyword]})"
        yield Finding(path, what, "choose another")


def _refusal_findings(path: Key, word: str) -> Iterator[Finding]:
    if classify_keyword(word) is None and is_refusal(word):
        what = f"{shown(path)}: {word!r} is taken for the wish to get no more texts"
        yield Finding(path, what, "choose another")


def _overheard(file: AgentFile) -> Iterator[Finding]:
    """Labels that never choose anything, since the same words ask for a person."""
    words = {spoken(word): ("handoff", "words", number) for number, word in enumerate(file.handoff.words)}
    for path, label in _labels(file):
        other = words.get(spoken(label))
        if other is not None:
            what = f"{shown(path)}: {label!r} asks for a person, by {shown(other)}"
            yield Finding(path, what, "choose another for one of them")


def _collisions(texted: list[tuple[Key, str]]) -> Iterator[Finding]:
    first: dict[str, Key] = {}
    for path, word in texted:
        plain = spoken(word)
        if not plain:
            yield Finding(path, f"{shown(path)} is empty", "write a word, or take it out")
        elif plain in first:
            yield _collision(path, first[plain])
        first.setdefault(plain, path)


def _collision(path: Key, other: Key) -> Finding:
    """A word that brings the brain back is heard only while a person answers, so it may be a command otherwise."""
    only_back = path[1] == "back_words" and other[0] == "commands"
    what = f"{shown(path)} is the same word as {shown(other)}"
    fix = "keep one" if path[:-1] == other[:-1] else "choose another for one of them"
    return Finding(path, what, fix, suspicious=only_back)
