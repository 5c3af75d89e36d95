"""``parley agent chat``: a talk with an agent in the terminal. What is typed is texted; ``/`` begins a command."""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import shlex
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parley_brains.agents import Agent
from parley_brains.brain import Attachment, File, Kind
from parley_brains.chat import Chat, Heard, Shown
from parley_cli.words import counted, printable
from parley_common.domain.segments import count_segments

Say = Callable[[str], None]

HELP = """/send FILE [TEXT]  text a file, with words beside it
/new               be somebody new, whom the agent has never met
/memory            what the agent remembers of you
/quit              end, as do ^D and ^C"""

_PROMPT = "you> "
_INDENT = "     "
_JOINER = "\u200d"


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a talk is shown. ``typed``: somebody sits at a terminal, else lines come from a file or a pipe."""

    typed: bool
    verbose: bool
    whatsapp: bool


def talk(agent: Agent, look: Look, say: Say, *, title: str) -> int:
    """Reads texts until there are no more; returns 0."""
    if look.typed:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - arrow keys in input()
        say(f"Texting with {title} by {'WhatsApp' if look.whatsapp else 'SMS'}. /help lists commands, ^D ends.")
    with asyncio.Runner() as runner:
        table = _Table(Chat(agent, Kind.WHATSAPP if look.whatsapp else Kind.SMS), look, say, runner)
        try:
            while (line := _next_line(look)) is not None and line.split() != ["/quit"]:
                table.take(line)
        except KeyboardInterrupt:
            say("")
        finally:
            runner.run(agent.brain.close())
    return 0


class _Table:
    """Where the two sit: takes what was typed, shows what comes back."""

    def __init__(self, chat: Chat, look: Look, say: Say, runner: asyncio.Runner) -> None:
        self._chat = chat
        self._look = look
        self._say = say
        self._runner = runner

    def take(self, line: str) -> None:
        """One line: a text, or a command."""
        if not self._look.typed:
            self._say(printable(f"{_PROMPT}{line}"))
        if not line.strip():
            return
        command, _, rest = line.rstrip().partition(" ")
        match command:
            case "/help":
                self._say(HELP)
            case "/new":
                self._chat.forget()
                self._note("you are somebody new now")
            case "/memory":
                self._note_memory()
            case "/send":
                self._send(rest)
            case _ if command.startswith("/"):
                self._note(f"there is no command {command}; /help lists them, a space in front texts it as it is")
            case _:
                self._text(line.strip())

    def _send(self, rest: str) -> None:
        try:
            name, *words = shlex.split(rest)
            attachment = _attachment(Path(name).expanduser())
        except (ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or "write /send FILE [TEXT], names with spaces in quotes"
            self._note(f"nothing was sent: {reason}")
            return
        self._text(" ".join(words), (attachment,))

    def _text(self, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        heard = self._runner.run(self._chat.say(text, attachments))
        for message in heard.messages:
            self._show(message)
        if not heard.messages:
            self._note("nothing comes back")
        for note in heard.notes:
            self._note(note)
        if self._look.verbose:
            self._note_usage(heard)

    def _show(self, message: Shown) -> None:
        for file in message.files:
            self._say(printable(f"bot> [{_described(file)}]"))
        for part in message.parts:
            self._say("bot> " + textwrap.indent(_visible(part), _INDENT).lstrip())
        if self._look.verbose and message.parts:
            self._note(self._size(message))

    def _size(self, message: Shown) -> str:
        parts = counted(len(message.parts), "part")
        characters = counted(sum(map(len, message.parts)), "character")
        if self._look.whatsapp:
            return f"{parts}, {characters}"
        encodings = "/".join(dict.fromkeys(count_segments(part).encoding.value for part in message.parts))
        return f"{parts}, {counted(message.segments, 'segment')} of {encodings}, {characters}"

    def _note_usage(self, heard: Heard) -> None:
        if heard.usage is not None:
            usage = heard.usage
            self._note(f"{usage.model}: {usage.input_tokens} tokens in, {usage.output_tokens} out")

    def _note_memory(self) -> None:
        for name, value in self._chat.memory.items():
            self._note(f"{name} = {value}")
        if not self._chat.memory:
            self._note("nothing is remembered")

    def _note(self, text: str) -> None:
        self._say(printable(f"   # {text}"))


def _next_line(look: Look) -> str | None:
    """The next text, None where there is none."""
    try:
        return input(_PROMPT) if look.typed else input()
    except EOFError:
        if look.typed:
            sys.stdout.write("\n")
        return None


def _attachment(path: Path) -> Attachment:
    """A file of this machine as something a person sends; raises ``OSError`` where it cannot be read."""
    with path.open("rb") as file:
        data = file.read()

    async def read() -> bytes:
        return data

    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Attachment(content_type=content_type, size=len(data), read=read)


def _visible(text: str) -> str:
    """The text without what could steer a terminal, its emoji whole: they are held together by joiners."""
    return _JOINER.join(map(printable, text.split(_JOINER)))


def _described(file: File) -> str:
    return f"{file.content_type} {file.source}"
