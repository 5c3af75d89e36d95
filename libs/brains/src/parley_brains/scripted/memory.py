"""What a script knows again at the next turn: the menu shown last, or what it has asked and was told. Pure.

The memory may be an older release's or another script's, so whatever in it makes no sense is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parley_brains.scripted.script import Command, Menu, Question
from parley_brains.scripted.words import MOST_VALUE

_COMMAND, _WRONG, _ASIDE, _MENU, _SLOT = "command", "wrong", "aside", "menu", "slot."
_COUNTS = tuple("012345")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A command is at its questions. ``wrong``: wrong answers to the one that was asked last.

    ``aside``: something else was answered since; only an answer to the question is heard as one now.
    """

    command: str
    values: Mapping[str, str] = field(default_factory=dict)
    wrong: int = 0
    aside: bool = False


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The menu shown last. ``wrong``: whether it was shown again after an answer that was none of its choices."""

    menu: str
    wrong: bool = False


State = Asking | Shown | None


def remember(state: State) -> dict[str, str]:
    """A state as a memory."""
    match state:
        case Asking():
            slots = {f"{_SLOT}{name}": value for name, value in state.values.items()}
            aside = {_ASIDE: "1"} if state.aside else {}
            return {_COMMAND: state.command, **slots, **_counted(state.wrong), **aside}
        case Shown():
            return {_MENU: state.menu, **_counted(int(state.wrong))}
        case None:
            return {}


def recall(memory: Mapping[str, str], commands: Mapping[str, Command], menus: Mapping[str, Menu]) -> State:
    """The state that a memory tells of, None where it tells of none that this script has."""
    command = commands.get(memory.get(_COMMAND, ""))
    if command is not None:
        values = {
            one.slot: memory[_SLOT + one.slot]
            for one in command.questions
            if 0 < len(memory.get(_SLOT + one.slot, "").strip()) <= MOST_VALUE
        }
        wrong = memory.get(_WRONG, "")
        asking = Asking(
            command=memory[_COMMAND],
            values=values,
            wrong=int(wrong) if wrong in _COUNTS else 0,
            aside=_ASIDE in memory,
        )
        return asking if next_question(command, values) else None
    menu = memory.get(_MENU, "")
    return Shown(menu=menu, wrong=_WRONG in memory) if menu in menus else None


def _counted(wrong: int) -> dict[str, str]:
    return {_WRONG: str(wrong)} if wrong else {}


def next_question(command: Command, values: Mapping[str, str]) -> Question | None:
    """The first question without an answer."""
    return next((one for one in command.questions if one.slot not in values), None)
