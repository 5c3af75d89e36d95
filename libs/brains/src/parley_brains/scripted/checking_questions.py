"""What is wrong with the questions of commands, and with the tools that are called with their answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parley_brains.agent_file import AgentFile
from parley_brains.checking.findings import Finding, nearest, shown
from parley_brains.checking.lines import Key
from parley_brains.scripted.filling import RESULT
from parley_brains.scripted.patterns import compiled, is_slow
from parley_brains.scripted.script import Command, Question
from parley_brains.scripted.speaking import MENU

MOST_QUESTIONS = 5
"""Few people answer more by text, and their answers are kept in a small memory."""

MOST_NAME = 32

_NAME = re.compile(r"[^\W\d]\w*")
_TAKEN = ("text", MENU, RESULT)


def question_findings(file: AgentFile) -> Iterator[Finding]:
    """What is wrong with every command."""
    for name, command in file.commands.items():
        path = ("commands", name)
        if len(command.questions) > MOST_QUESTIONS:
            what = f"{shown(path)} asks {len(command.questions)} questions"
            yield Finding((*path, "questions"), what, f"ask {MOST_QUESTIONS} at most")
        slots: set[str] = set()
        for place, question in enumerate(command.questions):
            yield from _of_question((*path, "questions", place), question, slots)
            slots.add(question.slot)
        if command.tool:
            yield from _of_tool((*path, "tool"), command, slots, file)


def _of_question(path: Key, question: Question, earlier: set[str]) -> Iterator[Finding]:
    slot = question.slot
    if not _NAME.fullmatch(slot) or len(slot) > MOST_NAME:
        what = f"{shown((*path, 'slot'))}: {slot!r} is no name"
        yield Finding((*path, "slot"), what, f"use letters, digits and _, {MOST_NAME} at most")
    elif slot in _TAKEN or slot in earlier:
        yield Finding((*path, "slot"), f"{shown((*path, 'slot'))}: {slot} means something else", "choose another")
    if not question.question:
        yield Finding((*path, "question"), f"{shown((*path, 'question'))} is empty", "ask something")
    try:
        pattern = compiled(question.pattern)
    except (re.error, RecursionError, OverflowError) as error:
        yield Finding((*path, "pattern"), f"{shown((*path, 'pattern'))} is no pattern: {error}", "mend it")
        return
    if is_slow(question.pattern):
        what = f"{shown((*path, 'pattern'))} takes too long for some texts"
        yield Finding((*path, "pattern"), what, "do without a repeat within a repeat")
    elif question.pattern and pattern.fullmatch(""):
        what = f"{shown((*path, 'pattern'))} fits nothing at all as well"
        yield Finding((*path, "pattern"), what, "write one that needs a character")


def _of_tool(path: Key, command: Command, slots: set[str], file: AgentFile) -> Iterator[Finding]:
    tool = file.tools.get(command.tool)
    if tool is None:
        close = nearest(command.tool, file.tools)
        fix = f"did you mean {close}?" if close else f"add [tools.{command.tool}]"
        yield Finding(path, f"{shown(path)}: there is no tool {command.tool}", fix)
        return
    for slot in sorted(slots - tool.declared.keys()):
        yield Finding(path, f"{shown(path)}: {command.tool} has no parameter {slot}", "add it, or rename the slot")
    for name, parameter in tool.declared.items():
        if parameter.required and name not in slots:
            what = f"{shown(path)}: nothing is asked for {name}, which {command.tool} needs"
            yield Finding(path, what, f'add a question with slot = "{name}"')
