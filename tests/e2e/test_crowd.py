"""Hundreds of people text at once, a thousand by `make crowd`, and the brain thinks for three seconds.

One agent process answers them all. Only the agent runs; texts go into the stream as ingress stores them, and the
turns are read there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.bot_server import SECRET, BotRequest, running_bot
from harness.stack import BROKER_ONLY, Stack, running_stack
from harness.waiting import wait_until
from integration.common.connections import a_text, connected, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import TurnDone

pytestmark = [pytest.mark.anyio, pytest.mark.long]

PEOPLE = int(os.environ.get("PARLEY_PEOPLE", "300"))
THINKS_S = 3.0
WAVES = int(os.environ.get("PARLEY_WAVES", "2"))
GROWTH_MIB = 40.0
"""By how much the process may have grown from the end of the first wave to that of the last: 20 KB a conversation.

What a wave leaves behind varies with how many of its turns happened to end at once.
"""

AGENT = """
brain = "webhook"
greeting = ""
[webhook]
url = "{url}"
request_timeout_s = 60
[reply]
within_s = 100
"""


async def thinks(request: BotRequest) -> object:
    await asyncio.sleep(THINKS_S)
    return {"messages": request.json["texts"]}


@pytest.mark.timeout(400)
async def test_a_crowd_at_once_is_answered_each_in_their_own_order_by_one_agent_in_flat_memory(
    tmp_path: Path,
) -> None:
    async with running_bot(thinks) as bot:
        agent_file = tmp_path / "agent.toml"
        agent_file.write_text(AGENT.format(url=bot.url))
        settings = {
            "PARLEY_AGENT_FILE": str(agent_file),
            "PARLEY_WEBHOOK_SECRET": SECRET,
            "PARLEY_GATHER_S": "0",
        }
        names = (*BROKER_ONLY, "agent")
        async with running_stack(tmp_path / "stack", names, settings) as stack, connected(stack) as bus:
            memory_mib = [await _wave(stack, bus, wave) for wave in range(WAVES)]
    sys.stdout.write(f"{bot.most_at_once} turns at once, memory after each wave: {memory_mib} MiB\n")
    assert bot.most_at_once > PEOPLE * 0.9
    assert memory_mib[-1] - memory_mib[0] < GROWTH_MIB, memory_mib


async def _wave(stack: Stack, bus: Bus, wave: int) -> float:
    """Everybody texts twice, the second time while the brain thinks of the first; returns the agent's memory."""
    people = [f"{wave:04x}{number:028x}" for number in range(PEOPLE)]
    for body in ("one", "two"):
        await _all_text(bus, people, body)
    await wait_until(lambda: _all_done(bus, 2 * PEOPLE * (wave + 1)), 90.0, what="an end of every turn")
    for person in people:
        assert await _answers(bus, person) == ["one", "two"]
    return stack["agent"].memory_mib


async def _all_text(bus: Bus, people: Sequence[str], body: str) -> None:
    for start in range(0, len(people), 100):
        texts = [(topology.texts(person), a_text(person, body)) for person in people[start : start + 100]]
        await asyncio.gather(*(bus.publish(subject, text, dedupe=True) for subject, text in texts))


async def _all_done(bus: Bus, count: int) -> bool:
    info = await bus.js.stream_info(topology.CONVERSATIONS, subjects_filter=topology.ALL_TURNS)
    return sum((info.state.subjects or {}).values()) >= count


async def _answers(bus: Bus, person: str) -> list[str]:
    turns = [stored.event() for stored in await history(bus, topology.turn_done(person))]
    return [reply.text for turn in turns if isinstance(turn, TurnDone) for reply in turn.messages]
