"""``parley pause``, ``resume`` and ``switches``: what egress may send, as the operator said it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parley_cli import words
from parley_cli.words import Refused
from parley_common import topology
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL, read_restored, switch_sending
from parley_common.events import SendingSwitched

_EVERY_SWITCH = "control.sending.*"


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """What was said last of one channel, or of all where ``channel`` is empty."""

    channel: str
    paused: bool
    since: datetime
    reason: str


class Switchboard(msgspec.Struct, frozen=True, kw_only=True):
    """Every switch that was ever set; when a backup was last restored and when that had been taken."""

    switches: tuple[Switch, ...] = ()
    restored_at: datetime | None = None
    backup_taken_at: datetime | None = None

    @property
    def paused(self) -> tuple[Switch, ...]:
        """Those that hold sending back."""
        return tuple(switch for switch in self.switches if switch.paused)


async def switch(bus: Bus, channel: str, *, paused: bool, reason: str) -> str:
    """Pauses or resumes; returns a sentence that says what holds now."""
    await switch_sending(bus, channel, paused=paused, reason=reason)
    if paused:
        return f"Sending is paused for {named(channel)}. What is with Twilio already is still delivered."
    return resumed(channel, await read_switchboard(bus))


async def read_switchboard(bus: Bus) -> Switchboard:
    """All switches, from the stream's leader."""
    found: dict[str, Switch] = {}
    seq = 1
    while (stored := await bus.next(_EVERY_SWITCH, seq=seq)) is not None:
        seq = stored.seq + 1
        event = _switched(stored.data)
        found[event.channel] = Switch(
            channel=event.channel, paused=event.paused, since=event.at, reason=event.reason
        )
    restored = await read_restored(bus)
    return Switchboard(
        switches=tuple(found[channel] for channel in sorted(found)),
        restored_at=restored.at if restored else None,
        backup_taken_at=restored.taken_at if restored else None,
    )


def named(channel: str) -> str:
    """A channel in a sentence."""
    return "all channels" if channel == EVERY_CHANNEL else f"channel {channel}"


def resumed(channel: str, board: Switchboard) -> str:
    """What resuming a channel has led to: another switch may still hold it back."""
    still = [other for other in board.paused if EVERY_CHANNEL in (channel, other.channel)]
    if not still:
        return f"Sending goes on for {named(channel)}."
    held = ", ".join(named(other.channel) for other in still)
    commands = ", ".join(f"parley resume {other.channel}".rstrip() for other in still)
    return f"Sending is no longer paused for {named(channel)}, but still for {held}: {commands}."


def described(board: Switchboard) -> str:
    """The board as a table, and when a backup was restored."""
    lines = ["Nothing is paused."]
    if board.paused:
        rows = [(named(one.channel), words.at(one.since), one.reason or "-") for one in board.paused]
        lines = [words.table(("PAUSED", "SINCE", "REASON"), rows)]
    if board.restored_at is not None and board.backup_taken_at is not None:
        taken_at = words.at(board.backup_taken_at)
        lines.append(f"Restored on {words.at(board.restored_at)} from the backup of {taken_at}.")
    return words.printable("\n".join(lines))


def _switched(data: bytes) -> SendingSwitched:
    try:
        return msgspec.json.decode(data, type=SendingSwitched)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused(
            f"stream {topology.CONTROL} holds a switch that cannot be read: "
            "run the command of the release that wrote it"
        ) from None
