"""``parley backup`` and ``parley restore``: all lasting streams to a folder and back.

A restore pauses sending before anything that could be sent is there again: nobody knows what was sent after the
backup was taken.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from parley_cli import hash_keys, words
from parley_cli.broker import connected
from parley_cli.manifest import (
    FORMAT,
    IN_ORDER,
    NAME,
    Manifest,
    SavedStream,
    read_manifest,
    write_manifest,
    written,
)
from parley_cli.snapshots import declare_anew, load, not_empty, pieces, remove_empty, save, stream_state
from parley_cli.words import Refused
from parley_common import topology
from parley_common.broker import read_broker
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL, switch_sending
from parley_common.events import Restored
from parley_common.settings import Environment
from parley_common.shared_settings import read_limits

HEARD_WITHIN_S = 3.0
"""How long a service may go by an older word of the operator; see ``parley_common.control``."""

Say = Callable[[str], None]
"""Tells the operator how far it is."""


async def backup(directory: Path, say: Say, environment: Environment = os.environ) -> Manifest:
    """Saves every lasting stream; leaves nothing behind where it fails."""
    _make_folder(directory)
    try:
        async with connected(read_broker(environment), IN_ORDER) as bus:
            taken_at, key = datetime.now(UTC), await hash_keys.key_of(bus, environment)
            streams = tuple([await _save(bus, stream, directory, say) for stream in IN_ORDER])
        manifest = Manifest(format=FORMAT, taken_at=taken_at, key=key, streams=streams)
        write_manifest(directory, manifest)
    except BaseException:
        _empty_folder(directory)
        raise
    return manifest


async def restore(directory: Path, say: Say, environment: Environment = os.environ) -> Manifest:
    """Makes every lasting stream anew from a backup, sending paused; refuses where one holds messages."""
    limits = read_limits(environment)
    manifest = await asyncio.to_thread(read_manifest, directory)
    key = hash_keys.read_key(environment)
    hash_keys.check_key(manifest, key, say)
    async with connected(read_broker(environment)) as bus:
        for stream in IN_ORDER:
            await _must_be_empty(bus, stream)
        known = await hash_keys.drop_fingerprint(bus, manifest.key or hash_keys.fingerprint(key))
        await _load(bus, manifest.named(topology.CONTROL), directory, limits, say)
        await hash_keys.compare_loaded(bus, known)
        await _pause(bus, manifest)
        say(f"sending is paused; waiting {HEARD_WITHIN_S:g} s until every service has heard it")
        await asyncio.sleep(HEARD_WITHIN_S)
        for stream in (*IN_ORDER[2:], topology.CONVERSATIONS):
            await _load(bus, manifest.named(stream), directory, limits, say)
        await declare_anew(bus, limits)
        await hash_keys.keep(bus, known, say)
    return manifest


async def _must_be_empty(bus: Bus, stream: str) -> None:
    """Raises ``Refused`` where the stream holds more than the declare step writes."""
    state = await stream_state(bus, stream)
    messages = 0 if state is None else state.messages
    if messages and stream == topology.CONTROL and await bus.last(topology.HASH_KEY) is not None:
        messages -= 1
    if messages:
        raise Refused(not_empty(stream, messages))


async def _save(bus: Bus, stream: str, directory: Path, say: Say) -> SavedStream:
    name = _file_of(stream)
    with written(directory / name) as write:
        described = await save(bus, stream, write)
        total = write(b"")
    say(f"{stream}: {words.counted(described.summary.messages, 'message')}")
    return SavedStream(name=stream, file=name, sha256=total, stream=described)


async def _load(bus: Bus, saved: SavedStream, directory: Path, limits: topology.Limits, say: Say) -> None:
    await remove_empty(bus, saved.name)
    config = saved.stream.config | {"num_replicas": limits.replicas}
    described = msgspec.structs.replace(saved.stream, config=config)
    with (directory / Path(saved.file).name).open("rb") as file:
        state = await load(bus, saved.name, described, pieces(file.read))
    if state.last_seq < described.summary.last_seq:
        raise Refused(
            f"{saved.name} ends at {state.last_seq} instead of {described.summary.last_seq}: empty the broker's "
            "data folder and restore again"
        )
    say(f"{saved.name}: {words.counted(state.messages, 'message')}")


async def _pause(bus: Bus, manifest: Manifest) -> None:
    """Says that sending is paused and that all before now is of the past, by the broker's clock."""
    taken_at = words.at(manifest.taken_at)
    reason = f"restored from the backup of {taken_at}; parley resume when what was sent since is known"
    await switch_sending(bus, EVERY_CHANNEL, paused=True, reason=reason)
    switched = await bus.last(topology.switch(EVERY_CHANNEL))
    restored = Restored(
        id=secrets.token_hex(16),
        at=datetime.now(UTC) if switched is None else switched.time,
        channel="",
        conversation="",
        taken_at=manifest.taken_at,
    )
    await bus.publish(topology.RESTORED, restored)


def _file_of(stream: str) -> str:
    return f"{stream}.snapshot"


def _make_folder(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise Refused(f"{directory} is not empty: name a new folder for each backup")
    except OSError as error:
        raise Refused(f"{directory} cannot be a folder for a backup ({error.strerror}): name another") from None


def _empty_folder(directory: Path) -> None:
    """Removes what an unfinished backup has written."""
    for name in (*(_file_of(stream) for stream in IN_ORDER), NAME, f"{NAME}.new"):
        (directory / name).unlink(missing_ok=True)
