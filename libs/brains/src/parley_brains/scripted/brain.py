"""The scripted brain: a greeting, commands by keyword, and an honest answer to all else. No key, no network."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from parley_brains.agent_file import AgentFile
from parley_brains.brain import Message, Said, Turn
from parley_brains.wording import Words, message

_WORD = re.compile(r"\s*(\S+)\s*(.*)", re.DOTALL)


class ScriptedBrain:
    """Answers by a script. ``{menu}`` in an answer stands for the commands with their lines."""

    acts = False

    def __init__(self, file: AgentFile, folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._commands = {word.upper(): command for word, command in file.commands.items()}
        self._menu = "\n".join(f"- {word}: {c.menu}" for word, c in self._commands.items() if c.menu)

    async def answer(self, turn: Turn) -> Said:
        """A command's reply, or the fallback; somebody new is greeted first."""
        reply = self._command_reply(turn)
        if reply is None:
            reply = self._fill(self._file.greeting if turn.is_first else self._file.fallback, turn, turn.text)
        return Said(messages=(reply,))

    async def close(self) -> None:
        """Nothing is open."""

    def _command_reply(self, turn: Turn) -> Message | None:
        match = _WORD.match(turn.text)
        command = self._commands.get(called(match[1])) if match else None
        return None if command is None or match is None else self._fill(command.reply, turn, match[2])

    def _fill(self, words: Words, turn: Turn, text: str) -> Message:
        """One pass, so that a person's own braces stay what they are."""
        said = message(words, turn.kind, self._folder)
        values = {"{text}": text, "{menu}": self._menu}
        return replace(said, text=re.sub(r"\{(?:text|menu)\}", lambda found: values[found[0]], said.text))


def called(word: str) -> str:
    """A word of a text as commands are called by it."""
    return word.strip("!.?,").upper()
