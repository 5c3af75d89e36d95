"""What a script asks, offers and leads to: questions that can be answered, menus that lead somewhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from parley_brains.agent_file import AgentFile
from parley_brains.answering import spoken
from parley_brains.findings import Finding, nearest, shown
from parley_brains.lines import Key
from parley_brains.scripted.filling import RESULT
from parley_brains.scripted.script import Choice, Command, Menu, Question

RESERVED = frozenset({"text", "menu", RESULT})
"""What is filled in anyway."""

_SLOT = re.compile(r"[^\W\d]\w*")
_LEADS = ("reply", "command", "menu")


def script_findings(file: AgentFile) -> Iterator[Finding]:
    """What is wrong with commands and menus, beside the words that call them."""
    for name, command in file.commands.items():
        yield from _questions(("commands", name), command)
        yield from _tool(("commands", name), command, file)
    for name, menu in file.menus.items():
        yield from _menu(("menus", name), menu, file)


def _questions(path: Key, command: Command) -> Iterator[Finding]:
    seen: set[str] = set()
    for number, question in enumerate(command.questions):
        key = (*path, "questions", number)
        yield from _slot((*key, "slot"), question.slot, seen)
        yield from _pattern((*key, "pattern"), question)
        seen.add(question.slot)


def _slot(path: Key, slot: str, seen: set[str]) -> Iterator[Finding]:
    if not _SLOT.fullmatch(slot):
        yield Finding(path, f"{shown(path)}: {slot!r} is no name", "use letters, digits and _, like order_number")
    elif slot in RESERVED:
        yield Finding(path, f"{shown(path)}: {{{slot}}} stands for something else already", "choose another name")
    elif slot in seen:
        yield Finding(path, f"{shown(path)}: {slot} is asked for already", "choose another name, or ask once")


def _pattern(path: Key, question: Question) -> Iterator[Finding]:
    try:
        re.compile(rf"(?:{question.pattern})")
    except (re.error, RecursionError, OverflowError) as error:
        fix = "mend it; single quotes around it keep backslashes as they are"
        yield Finding(path, f"{shown(path)} is no regular expression: {error}", fix)


def _tool(path: Key, command: Command, file: AgentFile) -> Iterator[Finding]:
    if not command.tool:
        return
    tool = file.tools.get(command.tool)
    if tool is None:
        yield _missing((*path, "tool"), "tool", command.tool, file.tools)
        return
    asked = {question.slot for question in command.questions}
    for name, parameter in tool.declared.items():
        if parameter.required and name not in asked | {"text"}:
            what = f"{shown(path)}: tool {command.tool} needs {name}, which no question asks for"
            yield Finding((*path, "tool"), what, f'add a question with slot = "{name}"')


def _menu(path: Key, menu: Menu, file: AgentFile) -> Iterator[Finding]:
    if not menu.choices:
        yield Finding((*path, "choices"), f"{shown(path)} has no choices", "add some")
    labels: dict[str, int] = {}
    for number, choice in enumerate(menu.choices):
        key = (*path, "choices", number)
        yield from _leads(key, choice, file)
        yield from _label((*key, "label"), choice.label, labels, number)
        labels.setdefault(spoken(choice.label), number)


def _leads(path: Key, choice: Choice, file: AgentFile) -> Iterator[Finding]:
    """Each choice leads to one thing, which is there."""
    leads = [name for name in _LEADS if getattr(choice, name)]
    if not leads:
        yield Finding(path, f"{shown(path)} leads nowhere", "write a reply, a command or a menu for it")
    elif len(leads) > 1:
        yield Finding(path, f"{shown(path)} leads to {' and '.join(leads)}", "keep one of them")
    if choice.command and not _is_there(choice.command, file.commands):
        yield _missing((*path, "command"), "command", choice.command, file.commands)
    if choice.menu and not _is_there(choice.menu, file.menus):
        yield _missing((*path, "menu"), "menu", choice.menu, file.menus)


def _label(path: Key, label: str, labels: Mapping[str, int], number: int) -> Iterator[Finding]:
    said = spoken(label)
    if not said:
        yield Finding(path, f"{shown(path)} is empty", "write what people choose")
    elif said in labels:
        yield Finding(path, f"{shown(path)} is the same as that of choice {labels[said] + 1}", "choose another")
    elif said.isdecimal() and int(said) != number + 1:
        what = f"{shown(path)}: {label!r} reads as the number of another choice"
        yield Finding(path, what, "write it in words")


def _is_there(name: str, those: Mapping[str, object]) -> bool:
    """Names of commands and menus are found in any case."""
    return name.upper() in {one.upper() for one in those}


def _missing(path: Key, what: str, name: str, those: Mapping[str, object]) -> Finding:
    close = nearest(name, those)
    fix = f"did you mean {close}?" if close else f"add [{what}s.{name}]"
    return Finding(path, f"{shown(path)}: there is no {what} {name}", fix)
