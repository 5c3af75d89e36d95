"""What each command does, from its arguments to what it writes; returns the exit code."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from parley_brains.agents import read_agent
from parley_cli import backup as backups
from parley_cli import letter_words, letters, switches, takeovers, words
from parley_cli.agent_chat import Look, talk
from parley_cli.agent_check import agent_path, report
from parley_cli.backfill import backfill
from parley_cli.broker import check_channel, connected
from parley_cli.replay import replay
from parley_cli.takeovers import Person, login
from parley_cli.words import Refused
from parley_common import topology
from parley_common.broker import read_broker
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL
from parley_common.shared_settings import read_common

Command = Callable[[Namespace], Coroutine[None, None, int] | int]
"""One that talks with somebody who types runs its own loop between their lines."""

_RESTORED = """Restored the backup of {taken_at}. Sending is paused for all channels.
Next: restart the broker, so that it knows the ids of the restored messages again and stores no text twice. Then
start the services, look at what they say, and run parley resume."""


def say(text: str) -> None:
    """Writes to whoever reads the output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Writes to whoever watches the terminal."""
    sys.stderr.write(f"parley: {text}\n")


async def pause(given: Namespace) -> int:
    """Pauses sending."""
    return await _switch(given, paused=True)


async def resume(given: Namespace) -> int:
    """Resumes sending."""
    return await _switch(given, paused=False)


async def show_switches(given: Namespace) -> int:
    """Shows what is paused."""
    async with connected(read_broker(), (topology.CONTROL,)) as bus:
        board = await switches.read_switchboard(bus)
    say(_json(board) if given.json else switches.described(board))
    return 0


async def list_letters(given: Namespace) -> int:
    """Lists dead letters."""
    async with connected(read_broker(), (topology.DEAD_LETTERS,)) as bus:
        found = letters.chosen(await letters.read_letters(bus), service=given.service, replayed_too=given.all)
    say(_json([_row(one) for one in found]) if given.json else letter_words.listed(found))
    return 0


async def show_letter(given: Namespace) -> int:
    """Shows one, or with ``--body`` the message itself."""
    async with connected(read_broker(), (topology.DEAD_LETTERS,)) as bus:
        one = letters.named(await letters.read_letters(bus), given.id)
        stored = await letters.read_message(bus, one.letter)
    if not given.body:
        say(letter_words.shown(one, stored, letters.read_event(stored) if stored else None))
    elif stored is None:
        raise Refused(f"{one.letter.stream} {one.letter.sequence} is not in the stream any more")
    else:
        sys.stdout.buffer.write(stored.data + b"\n")
    return 0


async def replay_letters(given: Namespace) -> int:
    """Replays one letter, or all that are open; 1 where any stays open."""
    async with connected(read_broker(), (topology.DEAD_LETTERS, topology.CONVERSATIONS)) as bus:
        found = await letters.read_letters(bus)
        if not given.all:
            say(await replay(bus, letters.named(found, given.id)))
            return 0
        return await _replay_all(bus, letters.chosen(found, service=given.service))


async def bring_in(given: Namespace) -> int:
    """Has ingress read Twilio's log."""
    if given.channel:
        check_channel(given.channel)
    async with connected(read_broker()) as bus:
        return await backfill(
            bus, since=given.since, until=given.until, channel=given.channel or EVERY_CHANNEL, say=say
        )


async def save(given: Namespace) -> int:
    """Takes a backup."""
    manifest = await backups.backup(given.directory, say)
    say(
        f"Backup of {words.at(manifest.taken_at)} in {given.directory}. Keep it safe, and PARLEY_HASH_KEY with it."
    )
    return 0


async def bring_back(given: Namespace) -> int:
    """Restores one."""
    manifest = await backups.restore(given.directory, say)
    say(_RESTORED.format(taken_at=words.at(manifest.taken_at)))
    return 0


async def check_agent(given: Namespace) -> int:
    """Checks an agent file; 1 where the agent would not start."""
    return await report(agent_path(given.file), say)


def chat_with_agent(given: Namespace) -> int:
    """Talks with an agent."""
    path = agent_path(given.file)
    look = Look(typed=sys.stdin.isatty(), verbose=given.verbose, whatsapp=given.whatsapp)
    return talk(read_agent(path), look, say, title=str(path))


async def take_conversation(given: Namespace) -> int:
    """Has a person answer."""
    settings = read_common()
    person = Person(settings.hash_key, channel=given.channel, contact=given.contact)
    check_channel(given.channel)
    async with connected(settings.broker, (topology.CONVERSATIONS,)) as bus:
        by, within = given.by or login(), timedelta(hours=given.hours)
        say(await takeovers.take_over(bus, person, by=by, within=within, now=datetime.now(UTC)))
    return 0


async def hand_back_conversation(given: Namespace) -> int:
    """Has the agent answer again."""
    settings = read_common()
    person = Person(settings.hash_key, channel=given.channel, contact=given.contact)
    check_channel(given.channel)
    async with connected(settings.broker, (topology.CONVERSATIONS,)) as bus:
        say(await takeovers.hand_back(bus, person, now=datetime.now(UTC)))
    return 0


COMMANDS: Mapping[tuple[str, str], Command] = {
    ("pause", ""): pause,
    ("resume", ""): resume,
    ("switches", ""): show_switches,
    ("dead-letters", "list"): list_letters,
    ("dead-letters", "show"): show_letter,
    ("dead-letters", "replay"): replay_letters,
    ("backfill", ""): bring_in,
    ("backup", ""): save,
    ("restore", ""): bring_back,
    ("agent", "check"): check_agent,
    ("agent", "chat"): chat_with_agent,
    ("take", ""): take_conversation,
    ("hand-back", ""): hand_back_conversation,
}


async def _switch(given: Namespace, *, paused: bool) -> int:
    if given.channel:
        check_channel(given.channel)
    async with connected(read_broker(), (topology.CONTROL,)) as bus:
        say(await switches.switch(bus, given.channel or EVERY_CHANNEL, paused=paused, reason=given.reason))
    return 0


async def _replay_all(bus: Bus, found: list[letters.Letter]) -> int:
    failed = 0
    for one in found:
        try:
            say(f"{one.id[:12]}: {await replay(bus, one)}")
        except Refused as error:
            failed += 1
            complain(f"{one.id[:12]}: {error}")
    say(f"{words.counted(len(found) - failed, 'letter')} replayed, {failed} still open.")
    return 1 if failed else 0


def _row(one: letters.Letter) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(one.letter)
    return fields | {"open": one.is_open, "replayed_at": one.replayed_at}


def _json(found: object) -> str:
    return msgspec.json.format(msgspec.json.encode(found)).decode()
