"""The scripted brain: a greeting, commands by keyword, and an honest answer to all else. No key, no network."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from parley_agent.brain import Turn, Words
from parley_common.domain.keywords import classify_keyword
from parley_common.settings import SettingsError

_APOLOGY = "Sorry, we could not answer your text in time. If you still need us, please text again."
_CAPPED = "That is as much as we can answer today. Please text again tomorrow."
_WORD = re.compile(r"\s*(\S+)\s*(.*)", re.DOTALL)


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a keyword does: its answer, and one line for the menu. ``{text}`` stands for what follows the word."""

    reply: str
    menu: str = ""


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent file of the scripted brain. ``{text}`` in ``fallback`` stands for the whole text.

    ``{menu}`` in any answer stands for the commands with their lines. ``apology`` is said for texts that are too
    old to be answered, ``capped`` when a person has had the day's answers; nothing is said where they are empty.
    """

    greeting: str
    fallback: str
    failure: str
    apology: str = _APOLOGY
    capped: str = _CAPPED
    commands: dict[str, Command] = {}


class ScriptedBrain:
    """Answers by a script."""

    acts = False

    def __init__(self, script: Script) -> None:
        self._script = script
        self._commands = {word.upper(): command for word, command in script.commands.items()}
        self._menu = "\n".join(f"- {word}: {c.menu}" for word, c in self._commands.items() if c.menu)
        self.words = Words(failure=script.failure, apology=script.apology, capped=script.capped)

    async def answer(self, turn: Turn) -> tuple[str, ...]:
        """A command's reply, or the fallback; somebody new is greeted first."""
        reply = self._command_reply(turn.text)
        if turn.is_first and reply is None:
            return (self._fill(self._script.greeting, turn.text),)
        return (reply if reply is not None else self._fill(self._script.fallback, turn.text),)

    def _command_reply(self, text: str) -> str | None:
        match = _WORD.match(text)
        command = self._commands.get(_called(match[1])) if match else None
        return None if command is None or match is None else self._fill(command.reply, match[2])

    def _fill(self, answer: str, text: str) -> str:
        """One pass, so that a person's own braces stay what they are."""
        values = {"{text}": text, "{menu}": self._menu}
        return re.sub(r"\{(?:text|menu)\}", lambda found: values[found[0]], answer)


def read_script(path: Path) -> Script:
    """Reads an agent file; raises ``SettingsError`` naming the file and what to mend."""
    try:
        script = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Script)
    except OSError as error:
        raise SettingsError(f"agent file {path} cannot be read: {error.strerror}; set PARLEY_AGENT_FILE") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"agent file {path}: {error}") from None
    for word in script.commands:
        if classify_keyword(word) is not None:
            raise SettingsError(f"agent file {path}: command {word} is a word carriers act on; choose another")
        if word.split() != [word] or _called(word) != word.upper():
            raise SettingsError(
                f"agent file {path}: command {word!r} can't be called: write one word without marks"
            )
    if len({word.upper() for word in script.commands}) < len(script.commands):
        raise SettingsError(f"agent file {path}: a command stands there twice, in capitals and not; keep one")
    return script


def _called(word: str) -> str:
    """A word of a text as commands are called by it."""
    return word.strip("!.?,").upper()
