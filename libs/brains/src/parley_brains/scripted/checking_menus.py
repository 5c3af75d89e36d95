"""What is wrong with the menus of an agent file: no choice may lead nowhere, or to two places. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from parley_brains.agent_file import AgentFile
from parley_brains.answering import spoken
from parley_brains.checking.findings import Finding, nearest, shown
from parley_brains.checking.lines import Key
from parley_brains.scripted.script import Choice, Menu
from parley_brains.scripted.speaking import numbered
from parley_brains.scripted.words import picked
from parley_common.domain.keywords import classify_keyword
from parley_common.domain.segments import utf_16_units

MOST_CHOICES = 12


def menu_findings(file: AgentFile) -> Iterator[Finding]:
    """What is wrong with every menu."""
    for name, menu in file.menus.items():
        yield from _of_menu(("menus", name), menu, file.reply.most_characters)
        for place, choice in enumerate(menu.choices):
            path = ("menus", name, "choices", place)
            yield from _of_label(path, choice, menu)
            yield from _of_lead(path, choice, file)


def _of_menu(path: Key, menu: Menu, most_characters: int) -> Iterator[Finding]:
    if not menu.choices:
        yield Finding(path, f"{shown(path)} has no choices", "add some, or make it a command")
    elif len(menu.choices) > MOST_CHOICES:
        what = f"{shown(path)} has {len(menu.choices)} choices"
        yield Finding(path, what, f"nobody reads more than {MOST_CHOICES}: split it into several menus")
    size = utf_16_units(numbered(menu.choices))
    if size > most_characters:
        what = f"{shown(path)}: the choices have {size} characters, more than reply.most_characters"
        yield Finding(path, what, f"raise that, now {most_characters}, or write shorter labels")


def _of_label(path: Key, choice: Choice, menu: Menu) -> Iterator[Finding]:
    place = path[-1]
    if not spoken(choice.label):
        yield Finding(path, f"{shown(path)} has an empty label", "say what is chosen")
    elif picked((choice.label,), menu.choices) != place or picked((choice.label,), _numbers(menu)) not in (
        None,
        place,
    ):
        yield Finding(path, f"{shown(path)}: {choice.label!r} is another choice too", "give it another label")
    elif classify_keyword(choice.label) is not None:
        what = f"{shown(path)}: {choice.label!r} is a word carriers act on, whoever texts it is not heard"
        yield Finding(path, what, "choose another label")


def _numbers(menu: Menu) -> list[Choice]:
    """The choices as they are known by their numbers alone."""
    return [Choice(label=str(number)) for number, _ in enumerate(menu.choices, 1)]


def _of_lead(path: Key, choice: Choice, file: AgentFile) -> Iterator[Finding]:
    leads = [lead for lead in (choice.reply, choice.command, choice.menu) if lead]
    if len(leads) != 1:
        what = f"{shown(path)} leads {'to several things' if leads else 'nowhere'}"
        yield Finding(path, what, "give it one of reply, command and menu")
    for key, name, known in (("command", choice.command, file.commands), ("menu", choice.menu, file.menus)):
        if name and name.upper() not in {one.upper() for one in known}:
            close = nearest(name, known)
            fix = f"did you mean {close}?" if close else f"add [{key}s.{name}]"
            yield Finding((*path, key), f"{shown((*path, key))}: there is no {key} {name}", fix)
