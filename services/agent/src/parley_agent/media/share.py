"""How much of the bucket one conversation may fill in a day, counted by the broker over all agents.

What is kept is counted once it is kept: a crash in between costs nobody their picture, and lets through what was
in work just then.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from parley_common import topology
from parley_common.bus import Bus

MOST_A_DAY = 50 * 1024 * 1024
"""Bytes of attachments in a UTC day: more than any phone sends of itself."""


class Share:
    """Counts what conversations have kept. Raises ``BROKER_TROUBLE`` where the broker is gone or slow."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def is_used_up(self, conversation: str) -> bool:
        """Whether nothing more of this conversation is kept today."""
        stored = await self._bus.last(_kept(conversation))
        return stored is not None and int(json.loads(stored.data)["val"]) >= MOST_A_DAY

    async def count(self, conversation: str, size: int) -> None:
        """So many bytes more are kept."""
        await self._bus.count(_kept(conversation), size)


def _kept(conversation: str) -> str:
    return topology.media_kept(conversation, datetime.now(UTC).date().isoformat())
