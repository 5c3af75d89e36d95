"""What a choice, a command or a menu leads to: its words, its next question, or what a tool answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from parley_brains.agent_file import AgentFile
from parley_brains.brain import BrainFailed, Message, Turn
from parley_brains.scripted.asking_tools import Calls
from parley_brains.scripted.filling import RESULT
from parley_brains.scripted.memory import Asking, Shown, State, next_question
from parley_brains.scripted.questions import gathered
from parley_brains.scripted.script import Choice
from parley_brains.scripted.speaking import Speaking
from parley_brains.scripted.vocabulary import Vocabulary
from parley_brains.scripted.words import callable_by, picked
from parley_brains.tools.calling import ToolFailed


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is said, and what is known after it. ``hand_over``: a person goes on."""

    messages: tuple[Message, ...] = ()
    state: State = None
    hand_over: bool = False


class Following:
    """Follows one agent file. ``tools``: None where no command calls any."""

    def __init__(self, file: AgentFile, words: Vocabulary, speaking: Speaking, tools: Calls | None) -> None:
        self._commands = {name.upper(): command for name, command in file.commands.items()}
        self._menus = file.menus
        self._words = words
        self._speaking = speaking
        self._tools = tools

    async def choose(self, choice: Choice, menu: str, turn: Turn) -> Reply:
        """What a choice leads to. Where that ends at once, another can be chosen after it."""
        shown = Shown(menu=menu)
        if choice.reply:
            return Reply(messages=(self._speaking.say(choice.reply, turn.kind, {"text": turn.text}),), state=shown)
        reply = await self.open(self._words.by_word[callable_by(choice.command or choice.menu)], turn, "")
        return replace(reply, state=reply.state or shown)

    async def open(self, name: str, turn: Turn, text: str) -> Reply:
        """A command or a menu. ``text``: what followed its word."""
        if name in self._menus:
            place = picked((text,), self._menus[name].choices)
            if place is not None:
                return await self.choose(self._menus[name].choices[place], name, turn)
            return Reply(messages=(self._speaking.say_menu(name, turn.kind, text),), state=Shown(menu=name))
        values = gathered(self._commands[name], {}, text)
        question = next_question(self._commands[name], values)
        if question is not None and question.pattern and not values and any(map(str.isdigit, text)):
            return self.mismatched(Asking(command=name), turn, text)
        return await self.go_on(name, values, turn, text)

    async def go_on(self, name: str, values: Mapping[str, str], turn: Turn, text: str) -> Reply:
        """The next question of a command, or its reply."""
        command = self._commands[name]
        question = next_question(command, values)
        if question is not None:
            asked = self._speaking.say(question.question, turn.kind, {"text": text, **values})
            return Reply(messages=(asked,), state=Asking(command=name, values=values))
        filled = {"text": text, **values}
        if command.tool and self._tools is not None:
            try:
                filled[RESULT] = await self._tools.call(command.tool, values, key=turn.key)
            except ToolFailed as error:
                if not command.failed:
                    raise BrainFailed(f"tool {command.tool}: {error}") from None
                return Reply(messages=(self._speaking.say(command.failed, turn.kind, filled),))
        return Reply(messages=(self._speaking.say(command.reply, turn.kind, filled),))

    def mismatched(self, asking: Asking, turn: Turn, text: str) -> Reply:
        """The question again, and why. ``text``: what was no answer to it."""
        question = next_question(self._commands[asking.command], asking.values)
        assert question is not None
        wrong = self._speaking.say(question.mismatch, turn.kind, {**asking.values, "text": text})
        asked = self._speaking.say(question.question, turn.kind, asking.values)
        state = replace(asking, wrong=min(asking.wrong + 1, question.again))
        return Reply(messages=(self._speaking.fitting(wrong, asked),), state=state)
