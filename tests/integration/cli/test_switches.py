"""``parley pause``, ``resume`` and ``switches`` against a real broker, as egress hears them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from harness.stack import Stack
from integration.cli.command import done, refusal
from parley_common import topology
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL, Switches
from parley_common.events import Restored

pytestmark = pytest.mark.anyio

CHANNEL = "default"


async def is_paused(bus: Bus, channel: str) -> bool:
    switches = Switches(bus, [CHANNEL, "other"])
    await switches.refresh()
    return switches.paused(channel)


async def test_a_pause_without_a_name_is_for_all_channels_until_it_is_resumed(broker: Stack, bus: Bus) -> None:
    assert not await is_paused(bus, CHANNEL)
    assert "Sending is paused for all channels." in await done(broker, "pause", "--reason", "a bad release")
    assert await is_paused(bus, CHANNEL)
    assert await is_paused(bus, "other")
    assert await done(broker, "resume") == "Sending goes on for all channels.\n"
    assert not await is_paused(bus, CHANNEL)


async def test_a_pause_with_a_name_is_for_that_channel_only(broker: Stack, bus: Bus) -> None:
    await done(broker, "pause", CHANNEL)
    assert await is_paused(bus, CHANNEL)
    assert not await is_paused(bus, "other")
    await done(broker, "resume", CHANNEL)
    assert not await is_paused(bus, CHANNEL)


@pytest.mark.parametrize(("first", "then"), [((CHANNEL,), ()), ((), (CHANNEL,))], ids=["its own", "all"])
async def test_resuming_says_what_else_holds_a_channel_back(
    broker: Stack, bus: Bus, first: tuple[str, ...], then: tuple[str, ...]
) -> None:
    await done(broker, "pause", *first)
    await done(broker, "pause", *then)
    said = await done(broker, "resume", *then)
    assert "but still for" in said
    assert " ".join(("parley resume", *first)) in said
    assert await is_paused(bus, CHANNEL)
    await done(broker, "resume", *first)
    assert not await is_paused(bus, CHANNEL)


async def test_switches_show_what_is_paused_since_when_and_why(broker: Stack, bus: Bus) -> None:
    assert await done(broker, "switches") == "Nothing is paused.\n"
    before = datetime.now(UTC).replace(microsecond=0)
    await done(broker, "pause", "--reason", "too many complaints")
    await done(broker, "pause", CHANNEL)
    await done(broker, "resume", CHANNEL)
    heading, line = (await done(broker, "switches")).splitlines()
    assert heading.split() == ["PAUSED", "SINCE", "REASON"]
    assert line.startswith("all channels")
    assert line.endswith("too many complaints")
    since = datetime.fromisoformat(line.split()[2])
    assert before <= since <= datetime.now(UTC)


async def test_switches_tell_of_the_last_restore(broker: Stack, bus: Bus) -> None:
    at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    restored = Restored(id="r", at=at, channel="", conversation="", taken_at=at - timedelta(hours=3))
    await bus.publish(topology.RESTORED, restored)
    said = await done(broker, "switches")
    assert "Restored on 2026-11-21T10:00:00Z from the backup of 2026-11-21T07:00:00Z." in said


async def test_switches_as_json_are_for_programs(broker: Stack) -> None:
    await done(broker, "pause", CHANNEL, "--reason", "why not")
    found = json.loads(await done(broker, "switches", "--json"))
    (switch,) = found["switches"]
    assert (switch["channel"], switch["paused"], switch["reason"]) == (CHANNEL, True, "why not")
    assert found["restored_at"] is None


async def test_a_channel_that_is_not_there_is_refused_rather_than_paused(broker: Stack, bus: Bus) -> None:
    assert "no channel 'defualt'" in await refusal(broker, "pause", "defualt")
    assert await bus.last(topology.switch("*")) is None


async def test_what_pauses_all_has_no_name_of_a_channel(broker: Stack, bus: Bus) -> None:
    await done(broker, "pause")
    last = await bus.last("control.sending.*")
    assert last is not None
    assert last.subject == topology.switch(EVERY_CHANNEL)
