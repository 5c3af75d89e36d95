"""The scripted brain: commands, menus, questions, knowledge, and an honest answer to all else. No key, no network.

What a text means is looked for in this order: an answer to what was asked last, a choice of the menu shown last,
small talk, the wish for a person, a command or menu by its word, a question that the knowledge answers. Each turn
ends in one answer, so no script can run in circles.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from parley_brains.agent_file import AgentFile
from parley_brains.answering import is_one_of
from parley_brains.brain import Message, Said, Turn
from parley_brains.knowledge import Knowledge
from parley_brains.scripted.asking_tools import Calls, tools_of
from parley_brains.scripted.checking import refuse
from parley_brains.scripted.following import Following, Reply
from parley_brains.scripted.memory import Asking, Shown, State, next_question, recall, remember
from parley_brains.scripted.questions import gathered
from parley_brains.scripted.speaking import Speaking
from parley_brains.scripted.vocabulary import Vocabulary
from parley_brains.scripted.words import exactly_called, find_called, picked
from parley_common.settings import Environment

QUOTED_CHARACTERS = 300
"""Of a passage: two segments of SMS, with its heading."""

_SENTENCE = 3
"""Words from which on a wrong answer to a question may be a question itself, without a mark."""

_FOLLOWING = 2
"""Words after a command's from which on a text is more likely about what they say."""


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
        self._words = Vocabulary(file)
        self._speaking = Speaking(file, folder)
        self._knowledge = Knowledge(folder / file.knowledge, language=file.language) if file.knowledge else None
        self._tools = tools or tools_of(file, environment)
        self._following = Following(file, self._words, self._speaking, self._tools)
        self.acts = self._tools is not None

    async def answer(self, turn: Turn) -> Said:
        """What the script says; raises ``BrainFailed`` for a tool without an answer that it has no words for."""
        reply = await self._reply(turn, recall(turn.memory, self._commands, self._menus))
        memory = remember(reply.state)
        known = None if memory == turn.memory else memory
        return Said(messages=reply.messages, memory=known, hand_over=reply.hand_over)

    async def close(self) -> None:
        """Ends the connections of tools."""
        if self._tools is not None:
            await self._tools.close()
        if self._knowledge is not None:
            self._knowledge.close()

    async def _reply(self, turn: Turn, state: State) -> Reply:
        others = tuple(text for text in turn.texts if not is_one_of(text, self._file.leave_words))
        if len(others) < len(turn.texts):
            if "".join(others).strip():
                return await self._reply(replace(turn, texts=others), None)
            return Reply(messages=(self._speaking.say(self._file.left, turn.kind, {}),))
        if not turn.text.strip():
            return self._wordless(turn, state)
        if isinstance(state, Asking):
            reply = await self._answer_to(state, turn)
            if reply is not None:
                return reply
        if isinstance(state, Shown):
            place = picked(turn.texts, self._menus[state.menu].choices)
            if place is not None:
                return await self._following.choose(self._menus[state.menu].choices[place], state.menu, turn)
        return await self._meant(turn, state) or self._look_up(turn, state)

    def _wordless(self, turn: Turn, state: State) -> Reply:
        """What is said to a picture or a file; what was asked or shown still is."""
        words = self._file.picture or self._file.fallback
        said = self._speaking.offering(self._speaking.say(words, turn.kind, {"text": ""}))
        if isinstance(state, Asking) and (question := next_question(self._commands[state.command], state.values)):
            said = self._speaking.fitting(said, self._speaking.say(question.question, turn.kind, state.values))
        return Reply(messages=(*self._greeting(turn), said), state=state)

    async def _answer_to(self, asking: Asking, turn: Turn) -> Reply | None:
        """What follows an answer to a question; None where the person wants something else."""
        command = self._commands[asking.command]
        question = next_question(command, asking.values)
        called_off = exactly_called(turn.texts, self._words.by_word) is not None
        if question is None or (not question.pattern and called_off):
            return None
        values = gathered(command, asking.values, turn.text)
        if values != asking.values:
            return await self._following.go_on(asking.command, values, turn, "")
        if asking.aside:
            return None
        reply = await self._meant(turn, asking)
        if reply is None:
            return self._ask_again(asking, turn)
        return reply if reply.hand_over else replace(reply, state=reply.state or replace(asking, aside=True))

    def _ask_again(self, asking: Asking, turn: Turn) -> Reply:
        """A question in between is answered; an answer that is none is told, and too many end it."""
        question = next_question(self._commands[asking.command], asking.values)
        answer = self._quote(turn) if "?" in turn.text or len(turn.text.split()) >= _SENTENCE else None
        if question is not None and answer is not None:
            asked = self._speaking.say(question.question, turn.kind, asking.values)
            return Reply(messages=(self._speaking.fitting(answer, asked),), state=asking)
        if question is None or asking.wrong >= question.again:
            said = self._speaking.say(self._commands[asking.command].gave_up, turn.kind, asking.values)
            return Reply(messages=(self._speaking.offering(said),))
        return self._following.mismatched(asking, turn, turn.text)

    async def _meant(self, turn: Turn, state: State) -> Reply | None:
        """What a text leads to whatever was said before; None where it is none of that."""
        small_talk = self._words.small_talk(turn.text)
        if small_talk:
            said = self._greeting(turn) or (self._speaking.say(small_talk, turn.kind, {"text": turn.text}),)
            return Reply(messages=said, state=state)
        found = find_called(turn.texts, self._words.by_word)
        is_all = len(turn.texts) == 1 and found is not None and not found[1]
        if found is not None and (is_all or self._words.repeats(found[0])):
            return await self._following.open(found[0], turn, found[1])
        if self._words.asks_for_person(turn.texts):
            return Reply(hand_over=True)
        if self._words.names_person(turn.texts):
            return Reply(messages=(self._speaking.offering(Message()),))
        mentioned = self._words.mentioned(turn.text)
        if mentioned is not None:
            return await self._following.go_on(mentioned[0], mentioned[1], turn, turn.text)
        return None if found is None else await self._called(found[0], turn, found[1])

    async def _called(self, name: str, turn: Turn, text: str) -> Reply:
        """What a first word calls. Where it takes nothing of a sentence, that may be a question of its own."""
        if not self._words.asks(name) and len(text.split()) >= _FOLLOWING:
            answer = self._quote(turn)
            if answer is not None:
                return Reply(messages=(*self._greeting(turn), answer))
        return await self._following.open(name, turn, text)

    def _look_up(self, turn: Turn, state: State) -> Reply:
        """What is said to a text that calls nothing."""
        shown = state if isinstance(state, Shown) else None
        greeting = self._greeting(turn)
        answer = self._quote(turn)
        if answer is not None:
            return Reply(messages=(*greeting, answer))
        if shown is not None and not shown.wrong:
            wrong = self._speaking.say(self._menus[shown.menu].unknown, turn.kind, {"text": turn.text})
            again = self._speaking.say_menu(shown.menu, turn.kind, "", wrong)
            return Reply(messages=(again,), state=replace(shown, wrong=True))
        if greeting and not (self._knowledge is not None and "?" in turn.text):
            return Reply(messages=greeting)
        fallback = self._speaking.say(self._file.fallback, turn.kind, {"text": turn.text})
        return Reply(messages=(*greeting, self._speaking.offering(fallback)))

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
