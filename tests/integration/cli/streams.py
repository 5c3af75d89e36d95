"""Streams with something of everything in them, and what a whole backup of them must bring back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integration.common.connections import a_text, history
from parley_cli.manifest import IN_ORDER
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    DeadLetter,
    DeliveryReport,
    Event,
    LogRead,
    TurnDone,
    TurnOutcome,
)

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
_COMMON: dict[str, Any] = {"at": NOW, "channel": "default"}


@dataclass(frozen=True)
class Kept:
    """A stream's messages, and the sequence its next one gets."""

    messages: tuple[Stored, ...]
    last_seq: int


async def fill(bus: Bus) -> None:
    """Some of every event, with gaps between sequences."""
    for conversation in ("c", "d"):
        for number in range(20):
            await bus.publish(topology.texts(conversation), a_text(conversation, f"text {number}"), dedupe=True)
    gone = await bus.publish(topology.texts("gone"), a_text("gone"))
    await bus.js.delete_msg(topology.CONVERSATIONS, gone)
    done = TurnDone(
        **_COMMON,
        id="turn",
        conversation="c",
        upto=20,
        first=1,
        outcome=TurnOutcome.ECHO,
        sender="",
        contact="",
        expires_at=NOW,
    )
    await bus.append(topology.turn_done("c"), done, after=0, chain=topology.own("c"))
    report = DeliveryReport(
        **_COMMON, id="report", conversation="c", account_sid="AC", sid="SM", status="sent", part_id="part"
    )
    await bus.publish(topology.reports("c", "part"), report, dedupe=True)
    stop = ConsentChanged(
        **_COMMON,
        id="stop",
        conversation="c",
        scope="",
        contact="",
        granted=False,
        cause=ConsentCause.KEYWORD,
    )
    await bus.append(topology.consent("key"), stop, after=0, chain=topology.consent("key"))
    letter = DeadLetter(
        **_COMMON,
        id="letter",
        conversation="c",
        stream=topology.CONVERSATIONS,
        sequence=1,
        subject=topology.texts("c"),
        reason="a reason",
        service="agent",
    )
    await bus.publish(topology.dead_letter("agent"), letter, dedupe=True)
    await bus.publish(topology.log_read("key"), LogRead(**_COMMON, id="read", conversation="", upto=NOW))
    await bus.count(topology.spent("default", "2026-11-21"), 40)
    await bus.count(topology.spent("default", "2026-11-21"), 2)


async def kept(bus: Bus) -> dict[str, Kept]:
    """What the lasting streams hold, byte for byte."""
    subjects = {
        topology.CONVERSATIONS: "conv.>",
        topology.REPORTS: "report.>",
        topology.CONSENT: "consent.*",
        topology.DEAD_LETTERS: "dead.*",
        topology.CONTROL: "control.>",
        topology.COUNTERS: "count.>",
    }
    assert set(subjects) == set(IN_ORDER)
    return {
        stream: Kept(tuple(await history(bus, subject)), (await bus.js.stream_info(stream)).state.last_seq)
        for stream, subject in subjects.items()
    }


async def declared(bus: Bus) -> dict[str, Any]:
    """The configuration of all streams and consumers, without the server's notes on them."""
    found: dict[str, Any] = {}
    for config in topology.streams(topology.Limits()):
        answer = await bus.nc.request(f"$JS.API.STREAM.INFO.{config.name}", b"")
        found[str(config.name)] = _without_notes(json.loads(answer.data)["config"])
    for consumer in topology.CONSUMERS:
        answer = await bus.nc.request(f"$JS.API.CONSUMER.INFO.{consumer.stream}.{consumer.durable}", b"")
        found[consumer.durable] = _without_notes(json.loads(answer.data)["config"])
    return found


def _without_notes(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != "metadata"}


def event_of(stored: Stored | None) -> Event:
    """The event that is stored there."""
    assert stored is not None
    return stored.event()
