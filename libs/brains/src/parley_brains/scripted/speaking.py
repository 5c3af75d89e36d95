"""What a script says: its words filled in, its menus with their numbers, its offer of a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from parley_brains.agent_file import AgentFile
from parley_brains.answering import shortened, spoken
from parley_brains.brain import Kind, Message
from parley_brains.scripted.filling import fill
from parley_brains.scripted.script import Choice
from parley_brains.wording import Words, message
from parley_common.domain.segments import utf_16_units

MENU = "menu"
"""Stands in braces for the commands and menus, each with its line."""


class Speaking:
    """Says the words of one agent file. ``folder``: where its files are."""

    def __init__(self, file: AgentFile, folder: Path) -> None:
        self._file = file
        self._folder = folder
        lines = {word.upper(): command.menu for word, command in file.commands.items()}
        lines |= {word.upper(): menu.menu for word, menu in file.menus.items()}
        self._menu = "\n".join(f"- {word}: {line}" for word, line in lines.items() if line)

    def say(self, words: Words, kind: Kind, values: Mapping[str, str]) -> Message:
        """A message, with its holes filled."""
        said = message(words, kind, self._folder)
        return replace(said, text=fill(said.text, {MENU: self._menu, **values}))

    def say_menu(self, name: str, kind: Kind, text: str, before: Message = Message()) -> Message:  # noqa: B008
        """A menu's prompt and its numbered choices; of what is too long, never the choices are cut."""
        menu = self._file.menus[name]
        prompt = below(before, self.say(menu.prompt, kind, {"text": text}))
        return self.fitting(prompt, Message(text=numbered(menu.choices)))

    def fitting(self, first: Message, second: Message) -> Message:
        """Two messages as one; where that is too long, the first is cut."""
        room = self._file.reply.most_characters - utf_16_units(second.text.strip()) - len("\n\n")
        return below(replace(first, text=shortened(first.text, room)), second)

    def offering(self, said: Message) -> Message:
        """The message with the offer of a person, where there is a word to ask for one and it was not told yet."""
        words = self._file.handoff.words
        if not words or f" {spoken(words[0])} " in f" {spoken(said.text)} ":
            return said
        offer = self._file.offer or f"To reach a person, text {words[0]}."
        return self.fitting(said, Message(text=offer))


def below(first: Message, second: Message) -> Message:
    """Two messages as one."""
    text = "\n\n".join(one.text.strip() for one in (first, second) if one.text.strip())
    return Message(text=text, files=first.files + second.files)


def numbered(choices: Sequence[Choice]) -> str:
    """The choices of a menu as they are shown."""
    return "\n".join(f"{number}. {' '.join(one.label.split())}" for number, one in enumerate(choices, 1))
