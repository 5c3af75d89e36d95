"""All that a script is called by: its commands and menus, small talk, and the words for a person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parley_brains.agent_file import AgentFile
from parley_brains.answering import spoken
from parley_brains.scripted.filling import holes
from parley_brains.scripted.questions import gathered
from parley_brains.scripted.script import Command
from parley_brains.scripted.words import callable_by, find_value, heard, holding
from parley_brains.wording import Words

MOST_WORDS = 6
"""Of a text that asks for a person by holding a word for one; a longer one may be about anything."""


class Vocabulary:
    """The words of one agent file."""

    def __init__(self, file: AgentFile) -> None:
        self._commands = {name.upper(): command for name, command in file.commands.items()}
        self._handoff = file.handoff.words
        self._small_talk = {heard(word): one.reply for one in file.small_talk for word in one.words}
        menus = {word: name for name, one in file.menus.items() for word in (name, *one.also)}
        commands = {word: name.upper() for name, one in file.commands.items() for word in (name, *one.also)}
        self.by_word = {callable_by(word): name for word, name in {**menus, **commands}.items()}
        self._repeats = {name for name, one in self._commands.items() if _repeats(one.reply)}
        self._repeats |= {name for name, one in file.menus.items() if _repeats(one.prompt)}

    def small_talk(self, text: str) -> Words:
        """What is said to a text that is nothing but a greeting or thanks; nothing to others."""
        return self._small_talk.get(heard(text), "")

    def asks_for_person(self, texts: Sequence[str]) -> bool:
        """Whether one of the texts is short and holds a word for a person."""
        return holding((one for one in texts if len(spoken(one).split()) <= MOST_WORDS), self._handoff) is not None

    def names_person(self, texts: Sequence[str]) -> bool:
        """Whether a word for a person is anywhere in the texts."""
        return holding(texts, self._handoff) is not None

    def mentioned(self, text: str) -> tuple[str, Mapping[str, str]] | None:
        """The command whose word is anywhere in a text that also answers one of its questions; and the answers."""
        for word in spoken(text).upper().split():
            command = self._commands.get(self.by_word.get(word, ""))
            if command is not None and _answers(command, text):
                return self.by_word[word], gathered(command, {}, text)
        return None

    def repeats(self, name: str) -> bool:
        """Whether a command or menu says again what follows its word, whatever that is."""
        return name in self._repeats

    def asks(self, name: str) -> bool:
        """Whether it is a command that looks for answers in what follows its word."""
        return name in self._commands and bool(self._commands[name].questions)


def _repeats(words: Words) -> bool:
    texts = (words,) if isinstance(words, str) else (words.text, words.whatsapp)
    return any("text" in holes(text) for text in texts)


def _answers(command: Command, text: str) -> bool:
    return any(one.pattern and find_value(text, one.pattern) is not None for one in command.questions)
