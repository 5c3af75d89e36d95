"""What may be written after ``parley``, and what ``--help`` says of it. Reads nothing, does nothing."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from parley_cli.times import read_moment
from parley_common.channels import QUICK_START

_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_EPILOG = (
    "Where the broker is stands in NATS_URL or PARLEY_NATS_PORT, as for the services. More: docs/operations.md."
)
_AGENT_EPILOG = "What an agent file may say: docs/agent-files.md."
_CHECK_EPILOG = (
    f"Ends with 0 where the agent would start, warnings or not, and with 1 where it would not. {_AGENT_EPILOG}"
)
_CHAT_EPILOG = (
    "Texts may come from a pipe as well, one a line. /send FILE texts a file, /new makes you somebody new, "
    f"/memory shows what is remembered, /quit ends. {_AGENT_EPILOG}"
)
_MOST_HOURS = 8760.0


class Commands(Protocol):
    """Where commands are added."""

    def add_parser(self, name: str, *, help: str, description: str, epilog: str) -> argparse.ArgumentParser:  # noqa: A002
        """One more."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="parley", description="What an operator says to a running Parley.", epilog=_EPILOG
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_switches(commands)
    _add_letters(commands)
    _add_backfill(commands)
    _add_backups(commands)
    _add_agent(commands)
    _add_takeovers(commands)
    return root


def read(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line as it was written; ends the process with 2 where it makes no sense."""
    root = parser()
    given = root.parse_args(arguments)
    if given.command == "dead-letters" and given.action == "replay" and (given.id is None) is not given.all:
        root.error("dead-letters replay: write the id of a letter, or --all")
    if given.command == "dead-letters" and given.action == "replay" and given.id and given.service:
        root.error("dead-letters replay: --service goes with --all, an id names one letter")
    if given.command == "backfill" and given.since >= given.until:
        root.error("backfill: --since must be before --until")
    return given


_SERVICES = ("agent", "egress", "status")
"""Those that bury."""


def _add_switches(commands: Commands) -> None:
    pause = _add(commands, "pause", "Pause sending, of one channel or of all; egress obeys within a second")
    pause.add_argument("channel", nargs="?", type=_channel, metavar="CHANNEL", help="all without it")
    pause.add_argument("--reason", default="", metavar="TEXT", help="why, for whoever asks parley switches")
    resume = _add(commands, "resume", "Send again what was held back and has not expired")
    resume.add_argument("channel", nargs="?", type=_channel, metavar="CHANNEL", help="all without it")
    resume.add_argument("--reason", default="", metavar="TEXT", help="why")
    _add_json(_add(commands, "switches", "Show what is paused, since when and why, and the last restore"))


def _add_letters(commands: Commands) -> None:
    letters = _add(commands, "dead-letters", "Show what could not be processed, and have it processed again")
    actions = letters.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = _add(actions, "list", "List the letters that were not replayed")
    listing.add_argument("--service", choices=_SERVICES, help="only those of one service")
    listing.add_argument("--all", action="store_true", help="those that were replayed too")
    _add_json(listing)
    show = _add(actions, "show", "Show a letter and its message, without text and whole numbers")
    show.add_argument("id", metavar="ID", help="a letter's id, or as much of its beginning as tells it apart")
    show.add_argument("--body", action="store_true", help="print only the message, as it is stored, text and all")
    replay = _add(actions, "replay", "Have a letter's message processed again, once")
    replay.add_argument("id", nargs="?", metavar="ID", help="a letter's id, or its beginning")
    replay.add_argument("--all", action="store_true", help="all that are open")
    replay.add_argument("--service", choices=_SERVICES, help="with --all: only those of one service")


def _add_backfill(commands: Commands) -> None:
    backfill = _add(commands, "backfill", "Bring in texts that never arrived, from Twilio's message log")
    backfill.add_argument(
        "--since", required=True, type=_moment, metavar="TIME", help="from when: 2h, 3d, 2026-11-21T10:00Z"
    )
    backfill.add_argument("--until", default="0s", type=_moment, metavar="TIME", help="up to when; now without it")
    backfill.add_argument("--channel", type=_channel, metavar="CHANNEL", help="all without it")


def _add_backups(commands: Commands) -> None:
    backup = _add(commands, "backup", "Save all lasting streams to a new folder while everything runs")
    backup.add_argument("directory", type=Path, metavar="DIR", help="a folder that is empty or not there yet")
    restore = _add(commands, "restore", "Make all lasting streams from a backup, with sending paused")
    restore.add_argument("directory", type=Path, metavar="DIR", help="the folder of a finished backup")


_FILE = "an agent file; without one PARLEY_AGENT_FILE, else the example"


def _add_agent(commands: Commands) -> None:
    agent = _add(commands, "agent", "Check an agent file, or talk to its agent without any service", _AGENT_EPILOG)
    actions = agent.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = _add(
        actions, "check", "Say all that is wrong with an agent file, a line each, with the fix", _CHECK_EPILOG
    )
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help=_FILE)
    chat = _add(actions, "chat", "Text with an agent here in the terminal", _CHAT_EPILOG)
    chat.add_argument("file", nargs="?", type=Path, metavar="FILE", help=_FILE)
    chat.add_argument("--whatsapp", action="store_true", help="text as by WhatsApp; by SMS without it")
    chat.add_argument(
        "-v", "--verbose", action="store_true", help="show parts, segments and tokens of each answer"
    )


def _add_takeovers(commands: Commands) -> None:
    take = _add(commands, "take", "Answer a person in place of the agent, which stays silent meanwhile")
    take.add_argument(
        "contact", metavar="CONTACT", help="their number, like +15551234567, or whatsapp:+15551234567"
    )
    take.add_argument("--by", default=None, type=_name, metavar="NAME", help="who answers; your login without it")
    take.add_argument(
        "--hours", default=24.0, type=_hours, metavar="N", help="for how long at most; 24 without it"
    )
    back = _add(commands, "hand-back", "Have the agent answer a person again")
    back.add_argument("contact", metavar="CONTACT", help="their number, as for take")
    for command in (take, back):
        command.add_argument("--channel", default=QUICK_START, type=_channel, metavar="NAME", help="their channel")


def _add(commands: Commands, name: str, text: str, epilog: str = _EPILOG) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=f"{text}.", epilog=epilog)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="as JSON")


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a channel: it has letters, digits, - and _ only")
    return text


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: write who answers")
    return text.strip()


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0.0 < hours <= _MOST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in hours: write a number up to {_MOST_HOURS:g}")
    return hours


def _moment(text: str) -> datetime:
    try:
        return read_moment(text, datetime.now(UTC))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
