"""What may be written after ``parley``: what is understood, what is refused with 2 and in which words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parley_cli.arguments import parser, read
from parley_cli.commands import COMMANDS

OPTIONS = {
    *("--reason", "--json", "--service", "--all", "--body", "--since", "--until", "--channel"),
    *("--whatsapp", "--verbose", "--by", "--hours"),
}
PAGES = ("operations.md", "agent-files.md")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said to a command line that makes no sense."""
    with pytest.raises(SystemExit) as ended:
        read(list(arguments))
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_a_pause_without_a_name_is_for_all_channels() -> None:
    given = read(["pause", "--reason", "a bad release"])
    assert (given.channel, given.reason) == (None, "a bad release")


@pytest.mark.parametrize("name", ["", "a.b", "*", ">", "_all", "two words", "-"])
@pytest.mark.parametrize("command", ["pause", "resume"])
def test_what_is_no_name_of_a_channel_is_refused(
    capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    """An empty name too: an unset variable of a shell must not resume everything."""
    refused(capsys, command, "--", name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dead-letters", "replay"], "write the id of a letter, or --all"),
        (["dead-letters", "replay", "abc", "--all"], "write the id of a letter, or --all"),
        (["dead-letters", "replay", "abc", "--service", "agent"], "--service goes with --all"),
        (["backfill"], "--since"),
        (["backfill", "--since", "yesterday"], "'yesterday' is no time"),
        (["backfill", "--since", "1h", "--until", "2h"], "--since must be before --until"),
        (["backup"], "DIR"),
        (["dead-letters"], "ACTION"),
        (["agent"], "ACTION"),
        (["take"], "CONTACT"),
        (["take", "+15550100200", "--hours", "0"], "'0' is no time in hours"),
        (["take", "+15550100200", "--hours", "nan"], "'nan' is no time in hours"),
        (["take", "+15550100200", "--hours", "soon"], "'soon' is no time in hours"),
        (["take", "+15550100200", "--by", " "], "write who answers"),
        (["take", "+15550100200", "--channel", "a.b"], "'a.b' is no name of a channel"),
        ([], "COMMAND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_line_that_makes_no_sense_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, *arguments)


def test_a_backfill_goes_up_to_now_by_itself() -> None:
    given = read(["backfill", "--since", "2h"])
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < given.until <= now
    assert timedelta(hours=1, minutes=59) < given.until - given.since < timedelta(hours=2, minutes=1)


def test_every_command_that_is_offered_is_done_by_something() -> None:
    offered = set()
    for arguments in (
        ["pause"],
        ["resume"],
        ["switches"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "a"],
        ["dead-letters", "replay", "a"],
        ["backfill", "--since", "1h"],
        ["backup", "d"],
        ["restore", "d"],
        ["agent", "check"],
        ["agent", "chat", "f", "--whatsapp", "-v"],
        ["take", "c"],
        ["hand-back", "c"],
    ):
        given = read(arguments)
        offered.add((given.command, getattr(given, "action", "")))
    assert offered == set(COMMANDS)


def test_the_pages_for_operators_show_every_command_and_option_and_no_other() -> None:
    docs = Path(__file__).parents[3] / "docs"
    pages = "\n".join((docs / name).read_text(encoding="utf-8") for name in PAGES)
    rows = re.findall(r"^\| `parley ([^|]*)\|", pages, re.MULTILINE)
    groups = ("dead-letters", "agent")
    shown = {(words[0], words[1] if words[0] in groups else "") for row in rows if (words := row.split())}
    assert {(name, action.rstrip("`")) for name, action in shown} == set(COMMANDS)
    assert set(re.findall(r"--[a-z]+", " ".join(rows))) == OPTIONS


def test_a_takeover_lasts_a_day_unless_it_is_said() -> None:
    given = read(["take", "+15550100200"])
    assert (given.hours, given.by, given.channel) == (24.0, None, "default")
    assert read(["take", "+15550100200", "--hours", "0.5", "--by", " Ada "]).by == "Ada"


def test_help_names_every_command_and_where_the_broker_is_set() -> None:
    text = parser().format_help()
    for command, _ in COMMANDS:
        assert command in text
    assert "NATS_URL" in text
