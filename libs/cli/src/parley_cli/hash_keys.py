"""Which hash key a backup and a broker are filed under: a restore never mixes two of them.

Known of a key is its fingerprint, an empty text where nobody knows it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from parley_cli.manifest import Manifest
from parley_cli.snapshots import stream_state
from parley_cli.words import Refused
from parley_common import topology
from parley_common.bus import Bus
from parley_common.hash_key import keep_fingerprint, read_fingerprint
from parley_common.identity import Identity
from parley_common.settings import Environment, read_optional

_OTHER_KEY = (
    "PARLEY_HASH_KEY is not the one the backup was taken with: set that one, under another every STOP would be "
    "forgotten"
)

_DECLARED_WITH_OTHER_KEY = (
    "the declare step ran here under another PARLEY_HASH_KEY than the backup was taken with: stop the services, "
    "give them all the backup's, empty the broker's data folder and restore again"
)

_DECLARE = (
    "nobody knows under which PARLEY_HASH_KEY this is filed: run the declare step under the right one "
    "(python -m parley_common.declare), services wait for it"
)

Say = Callable[[str], None]


def read_key(environment: Environment = os.environ) -> bytes | None:
    """The hash key, None where the environment has none."""
    key = read_optional(environment, "PARLEY_HASH_KEY")
    return None if key is None else key.encode()


def fingerprint(key: bytes | None) -> str:
    """What tells it from others."""
    return "" if key is None else Identity(key).fingerprint()


async def key_of(bus: Bus, environment: Environment) -> str:
    """The fingerprint of the key that all is filed under, empty where neither broker nor environment tells it."""
    return await read_fingerprint(bus) or fingerprint(read_key(environment))


def check_key(manifest: Manifest, key: bytes | None, say: Say) -> None:
    """Raises ``Refused`` where the backup says that it was taken with another key."""
    if manifest.key and key is None:
        say("PARLEY_HASH_KEY is not set here, so nobody knows whether it is the one the backup was taken with")
    if manifest.key and key is not None and manifest.key != fingerprint(key):
        raise Refused(_OTHER_KEY)


async def drop_fingerprint(bus: Bus, wanted: str) -> str:
    """What the declare step wrote of its hash key gives way to the same in the backup. Returns which key it is.

    Raises ``Refused`` where it is not the ``wanted`` one: services may have started here under the other.
    """
    if await stream_state(bus, topology.CONTROL) is None:
        return wanted
    found = await read_fingerprint(bus)
    if found is not None and wanted not in ("", found):
        raise Refused(_DECLARED_WITH_OTHER_KEY)
    await bus.js.purge_stream(topology.CONTROL, subject=topology.HASH_KEY)
    return found or wanted


async def compare_loaded(bus: Bus, known: str) -> None:
    """A backup that was taken without the key in the environment tells only now which it was."""
    loaded = await read_fingerprint(bus)
    if loaded is not None and known not in ("", loaded):
        await bus.js.delete_stream(topology.CONTROL)
        raise Refused(_OTHER_KEY)


async def keep(bus: Bus, known: str, say: Say) -> None:
    """Writes the fingerprint, without which no service starts; says what to do where none is known."""
    if known:
        await keep_fingerprint(bus, known)
    elif await read_fingerprint(bus) is None:
        say(_DECLARE)
