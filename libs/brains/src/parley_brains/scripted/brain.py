"""The scripted brain: commands, menus, questions, knowledge, and an honest answer to all else. No key, no network.

What a text means is looked for in this order: an answer to what was asked last, a choice of the menu shown last, a
command or menu by its word, a question that the knowledge answers. Each turn ends in one answer, so no script can
run in circles.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from parley_brains.agent_file import AgentFile
from parley_brains.answering import is_one_of
from parley_brains.brain import BrainFailed, Message, Said, Turn
from parley_brains.knowledge import Knowledge
from parley_brains.scripted.asking_tools import Calls, tools_of
from parley_brains.scripted.checking import refuse
from parley_brains.scripted.filling import RESULT
from parley_brains.scripted.memory import Asking, Shown, State, next_question, recall, remember
from parley_brains.scripted.questions import gathered
from parley_brains.scripted.script import Choice
from parley_brains.scripted.speaking import Speaking, below
from parley_brains.scripted.words import called, exactly_called, find_called, picked
from parley_brains.tools.calling import ToolFailed
from parley_common.settings import Environment

QUOTED_CHARACTERS = 300
"""Of a passage: two segments of SMS, with its heading."""


@dataclass(frozen=True, kw_only=True)
class _Reply:
    """What is said, and what is known after it."""

    messages: tuple[Message, ...]
    state: State = None


class ScriptedBrain:
    """Answers by a script. ``folder``: where the file's own files are. ``tools``: called in place of the file's.

    Raises ``SettingsError`` where the script cannot be followed or its knowledge not be read.
    """

    def __init__(
        self, file: AgentFile, folder: Path, environment: Environment = os.environ, tools: Calls | None = None
    ) -> None:
        refuse(file)
        self._file = file
        self._commands = {word.upper(): command for word, command in file.commands.items()}
        self._menus = file.menus
        self._by_word = _by_word(file)
        self._speaking = Speaking(file, folder)
        self._knowledge = Knowledge(folder / file.knowledge, language=file.language) if file.knowledge else None
        self._tools = tools or tools_of(file, environment)
        self.acts = self._tools is not None

    async def answer(self, turn: Turn) -> Said:
        """What the script says; raises ``BrainFailed`` for a tool without an answer that it has no words for."""
        reply = await self._reply(turn, recall(turn.memory, self._commands, self._menus))
        memory = remember(reply.state)
        return Said(messages=reply.messages, memory=None if memory == turn.memory else memory)

    async def close(self) -> None:
        """Ends the connections of tools."""
        if self._tools is not None:
            await self._tools.close()
        if self._knowledge is not None:
            self._knowledge.close()

    async def _reply(self, turn: Turn, state: State) -> _Reply:
        others = tuple(text for text in turn.texts if not is_one_of(text, self._file.leave_words))
        if len(others) < len(turn.texts):
            if "".join(others).strip():
                return await self._reply(replace(turn, texts=others), None)
            return _Reply(messages=(self._speaking.say(self._file.left, turn.kind, {}),))
        if isinstance(state, Asking):
            reply = await self._answer_to(state, turn)
            if reply is not None:
                return reply
        if isinstance(state, Shown):
            place = picked(turn.texts, self._menus[state.menu].choices)
            if place is not None:
                return await self._choose(self._menus[state.menu].choices[place], state.menu, turn)
        found = find_called(turn.texts, self._by_word)
        if found is not None:
            return await self._open(found[0], turn, found[1])
        return self._look_up(turn, state)

    async def _answer_to(self, asking: Asking, turn: Turn) -> _Reply | None:
        """What follows an answer to a question; None where the person wants something else."""
        command = self._commands[asking.command]
        question = next_question(command, asking.values)
        called_off = exactly_called(turn.texts, self._by_word) is not None
        if question is None or (not question.pattern and called_off):
            return None
        values = gathered(command, asking.values, turn.text)
        if values != asking.values:
            return await self._go_on(asking.command, values, turn, "")
        return None if find_called(turn.texts, self._by_word) else self._ask_again(asking, turn)

    def _ask_again(self, asking: Asking, turn: Turn) -> _Reply:
        command = self._commands[asking.command]
        question = next_question(command, asking.values)
        if question is None or asking.wrong >= question.again:
            said = self._speaking.say(command.gave_up, turn.kind, asking.values)
            return _Reply(messages=(self._speaking.offering(said),))
        answer = self._quote(turn) if "?" in turn.text else None
        wrong = answer or self._speaking.say(question.mismatch, turn.kind, {**asking.values, "text": turn.text})
        asked = self._speaking.say(question.question, turn.kind, asking.values)
        return _Reply(messages=(below(wrong, asked),), state=replace(asking, wrong=asking.wrong + 1))

    async def _choose(self, choice: Choice, menu: str, turn: Turn) -> _Reply:
        """What a choice leads to. Where that ends at once, another can be chosen after it."""
        shown = Shown(menu=menu)
        if choice.reply:
            return _Reply(
                messages=(self._speaking.say(choice.reply, turn.kind, {"text": turn.text}),), state=shown
            )
        reply = await self._open(self._by_word[called(choice.command or choice.menu)], turn, "")
        return replace(reply, state=reply.state or shown)

    async def _open(self, name: str, turn: Turn, text: str) -> _Reply:
        """A command or a menu. ``text``: what followed its word."""
        if name in self._menus:
            return _Reply(messages=(self._speaking.say_menu(name, turn.kind, text),), state=Shown(menu=name))
        return await self._go_on(name, gathered(self._commands[name], {}, text), turn, text)

    async def _go_on(self, name: str, values: Mapping[str, str], turn: Turn, text: str) -> _Reply:
        """The next question of a command, or its reply."""
        command = self._commands[name]
        question = next_question(command, values)
        if question is not None:
            asked = self._speaking.say(question.question, turn.kind, {"text": text, **values})
            return _Reply(messages=(asked,), state=Asking(command=name, values=values))
        filled = {"text": text, **values}
        if command.tool and self._tools is not None:
            try:
                filled[RESULT] = await self._tools.call(command.tool, values, key=turn.key)
            except ToolFailed as error:
                if not command.failed:
                    raise BrainFailed(f"tool {command.tool}: {error}") from None
                return _Reply(messages=(self._speaking.say(command.failed, turn.kind, filled),))
        return _Reply(messages=(self._speaking.say(command.reply, turn.kind, filled),))

    def _look_up(self, turn: Turn, state: State) -> _Reply:
        """What is said to a text that calls nothing."""
        shown = state if isinstance(state, Shown) else None
        greeting = self._greeting(turn)
        answer = self._quote(turn)
        if answer is not None:
            return _Reply(messages=(*greeting, answer), state=shown)
        if shown is not None and not shown.wrong:
            wrong = self._speaking.say(self._menus[shown.menu].unknown, turn.kind, {"text": turn.text})
            again = self._speaking.say_menu(shown.menu, turn.kind, "")
            return _Reply(messages=(below(wrong, again),), state=replace(shown, wrong=True))
        if greeting and not (self._knowledge is not None and "?" in turn.text):
            return _Reply(messages=greeting)
        fallback = self._speaking.say(self._file.fallback, turn.kind, {"text": turn.text})
        return _Reply(messages=(*greeting, self._speaking.offering(fallback)))

    def _greeting(self, turn: Turn) -> tuple[Message, ...]:
        """What is said to somebody new before all else; nothing to others."""
        said = self._speaking.say(self._file.greeting, turn.kind, {"text": turn.text})
        return (said,) if turn.is_first and (said.text.strip() or said.files) else ()

    def _quote(self, turn: Turn) -> Message | None:
        """What the knowledge says to a question, under its heading."""
        if self._knowledge is None:
            return None
        for passage in self._knowledge.search(turn.text, most=1):
            said = self._knowledge.quote(passage, turn.text, QUOTED_CHARACTERS)
            return Message(text=f"**{passage.title}**\n\n{said}")
        return None


def _by_word(file: AgentFile) -> dict[str, str]:
    """Which command or menu each word calls."""
    commands = {word: name.upper() for name, one in file.commands.items() for word in (name, *one.also)}
    menus = {word: name for name, one in file.menus.items() for word in (name, *one.also)}
    return {word.upper(): name for word, name in {**menus, **commands}.items()}
