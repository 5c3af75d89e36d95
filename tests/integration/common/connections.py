"""Connections to a test's broker, and texts to put into it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from harness.stack import Stack
from parley_common.broker import Broker
from parley_common.bus import Bus, Stored
from parley_common.events import InboundMessage

PERSON, NUMBER = "+15550100200", "+15550100100"

_numbers = itertools.count(1)


@asynccontextmanager
async def connected(broker: Stack) -> AsyncIterator[Bus]:
    """A bus of its own."""
    bus = Bus(Broker(broker.nats_url), name="test")
    await bus.connect()
    try:
        yield bus
    finally:
        await bus.close()


def a_text(conversation: str = "c", body: str = "hello", **fields: Any) -> InboundMessage:
    """A text of a person; each has another id."""
    usual: dict[str, Any] = {
        "id": f"SM{next(_numbers):032x}",
        "at": datetime.now(UTC),
        "channel": "default",
        "account_sid": "AC" + "0" * 32,
        "contact": PERSON,
        "recipient": NUMBER,
    }
    return InboundMessage(conversation=conversation, body=body, **usual | fields)


async def history(bus: Bus, subject: str) -> list[Stored]:
    """All that is stored on a subject (wildcards allowed), oldest first."""
    found: list[Stored] = []
    while (stored := await bus.next(subject, seq=found[-1].seq + 1 if found else 1)) is not None:
        found.append(stored)
    return found
