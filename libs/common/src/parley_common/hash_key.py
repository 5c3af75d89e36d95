"""That nobody works under another hash key than the one everything is filed under.

The declare step writes a fingerprint of the key to the stream ``CONTROL``, and each service compares before it
does anything: under another key every conversation would be a new one, and every STOP forgotten.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

import msgspec
import structlog

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus, Superseded
from parley_common.events import HashKeyKept
from parley_common.identity import Identity
from parley_common.settings import SettingsError

_RETRY_S = 0.25

OTHER_KEY = (
    "PARLEY_HASH_KEY is not the one that the conversations on this broker are filed under: set that one again, "
    "from the backup of your secrets; under another every STOP would be forgotten"
)

log = structlog.get_logger(__name__)


async def read_fingerprint(bus: Bus) -> str | None:
    """The fingerprint on the broker, None where none is. Raises ``BROKER_TROUBLE``, ``SettingsError``."""
    stored = await bus.last(topology.HASH_KEY)
    if stored is None:
        return None
    try:
        event = stored.event()
    except msgspec.DecodeError:
        event = None
    if not isinstance(event, HashKeyKept):
        raise SettingsError(f"what {topology.HASH_KEY} says of PARLEY_HASH_KEY cannot be read: use its release")
    return event.fingerprint


async def check_hash_key(bus: Bus, key: bytes) -> bool:
    """Whether the key is the one on the broker; False where none is there. Raises ``SettingsError``."""
    return await _check(bus, Identity(key).fingerprint())


async def keep_hash_key(bus: Bus, key: bytes) -> None:
    """Writes the fingerprint where none is. Raises ``SettingsError`` where another is, or comes meanwhile."""
    await keep_fingerprint(bus, Identity(key).fingerprint())


async def keep_fingerprint(bus: Bus, fingerprint: str) -> None:
    """The same for a key of which only the fingerprint is known, as in a backup."""
    event = HashKeyKept(
        id=secrets.token_hex(16),
        at=datetime.now(UTC),
        channel="",
        conversation="",
        fingerprint=fingerprint,
    )
    while not await _check(bus, fingerprint):
        try:
            await bus.append(topology.HASH_KEY, event, after=0, chain=topology.HASH_KEY)
        except Superseded:
            continue


async def wait_same_hash_key(bus: Bus, key: bytes) -> None:
    """Returns once the broker is known to be filed under this key. Raises ``SettingsError`` for another.

    Where none is there yet, the declare step of this release has not run: it is waited for.
    """
    while True:
        try:
            if await check_hash_key(bus, key):
                return
            log.info("waiting for the declare step", missing="the fingerprint of PARLEY_HASH_KEY")
        except BROKER_TROUBLE as error:
            log.info("waiting for the broker to tell its hash key", error=type(error).__name__)
        await asyncio.sleep(_RETRY_S)


async def _check(bus: Bus, fingerprint: str) -> bool:
    kept = await read_fingerprint(bus)
    if kept is not None and kept != fingerprint:
        raise SettingsError(OTHER_KEY)
    return kept is not None
