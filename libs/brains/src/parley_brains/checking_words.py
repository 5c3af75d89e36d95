"""Words that people text: none may be one that carriers act on, none may mean two things. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from parley_brains.agent_file import AgentFile
from parley_brains.answering import spoken
from parley_brains.findings import Finding, shown
from parley_brains.lines import Key
from parley_brains.scripted.script import Command, Menu
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
    """What is wrong with the words that call commands, menus and people, and with the labels of choices."""
    texted = list(_texted(file))
    for path, word in texted:
        if path[0] != "handoff":
            yield from _uncallable(path, word)
    for path, word in (*texted, *_labels(file)):
        yield from carrier_findings(path, word)
    yield from _collisions(texted)
    yield from _overheard(file, texted)


def carrier_findings(path: Key, word: str) -> Iterator[Finding]:
    """Whether a word is one that never reaches a brain."""
    keyword = classify_keyword(word)
    if keyword is not None:
        what = f"{shown(path)}: {word!r} is a word carriers act on ({_TAKEN[keyword]})"
        yield Finding(path, what, "choose another")
    elif is_refusal(word):
        what = f"{shown(path)}: {word!r} is taken for the wish to get no more texts"
        yield Finding(path, what, "choose another")


def _texted(file: AgentFile) -> Iterator[tuple[Key, str]]:
    """Where each word stands that means something whenever it is texted."""
    tables: dict[str, Mapping[str, Command | Menu]] = {"commands": file.commands, "menus": file.menus}
    for table, those in tables.items():
        for name, one in those.items():
            yield (table, name), name
            yield from _numbered((table, name, "also"), one.also)
    yield from _numbered(("handoff", "words"), file.handoff.words)
    yield from _numbered(("handoff", "back_words"), file.handoff.back_words)


def _labels(file: AgentFile) -> Iterator[tuple[Key, str]]:
    for name, menu in file.menus.items():
        for number, choice in enumerate(menu.choices):
            yield ("menus", name, "choices", number, "label"), choice.label


def _numbered(path: Key, words: Sequence[str]) -> Iterator[tuple[Key, str]]:
    for number, word in enumerate(words):
        yield (*path, number), word


def _uncallable(path: Key, word: str) -> Iterator[Finding]:
    """A name is found as the first word of a text, what stands in ``also`` as all of it."""
    is_name = len(path) == 2
    if called(word) != word.upper() or word.strip() != word or (is_name and word.split() != [word]):
        what = f"{shown(path)}: {word!r} can't be called"
        yield Finding(path, what, f"write {'one word' if is_name else 'it'} without marks or space around it")


def _overheard(file: AgentFile, texted: list[tuple[Key, str]]) -> Iterator[Finding]:
    """Labels that never choose anything, since the same words ask for a person."""
    words = {spoken(word): path for path, word in texted if path[:2] == ("handoff", "words")}
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
    only_back = path[1] == "back_words" and other[0] != "handoff"
    what = f"{shown(path)} is the same word as {shown(other)}"
    fix = "keep one" if path[0] == other[0] and path[1:-1] == other[1:-1] else "choose another for one of them"
    return Finding(path, what, fix, suspicious=only_back)
