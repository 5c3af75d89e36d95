"""The command and the services it speaks to, all of them real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.stack import BROKER_ONLY, Stack, running_stack
from harness.waiting import wait_until
from integration.cli.command import done, refusal
from integration.common.connections import a_text, connected, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.dead_letters import Place, bury, letter_id
from parley_common.events import TurnDone, TurnOutcome

pytestmark = pytest.mark.anyio

C = "c"
BROKEN = 'brain = "webhook"\nfailure = "Sorry."\n[webhook]\nurl = "http://127.0.0.1:1/"\n'
MENDED = 'fallback = "You said: {text}"\n'


async def letters(stack: Stack, *arguments: str) -> list[str]:
    """The ids of the open letters."""
    return [row["id"] for row in json.loads(await done(stack, "dead-letters", "list", "--json", *arguments))]


async def outcomes(bus: Bus) -> list[TurnOutcome]:
    turns = [stored.event() for stored in await history(bus, topology.turn_done(C))]
    return [turn.outcome for turn in turns if isinstance(turn, TurnDone)]


async def test_p7_a_text_whose_brain_failed_is_answered_once_it_is_mended_and_replayed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(BROKEN)
    settings = {
        "PARLEY_AGENT_FILE": str(file),
        "PARLEY_GATHER_S": "0",
        "PARLEY_WEBHOOK_SECRET": "whsec_dGhlIHNlY3JldCBvZiB0aGlzIHRlc3QsIGxvbmc=",
    }
    async with (
        running_stack(tmp_path / "stack", (*BROKER_ONLY, "agent"), settings) as stack,
        connected(stack) as bus,
    ):
        await bus.publish(topology.texts(C), a_text(C, "hello"), dedupe=True)
        await wait_until(lambda: letters(stack), 20.0, what="a dead letter of the agent")
        (letter,) = await letters(stack, "--service", "agent")
        file.write_text(MENDED)
        await stack["agent"].restart()
        await done(stack, "dead-letters", "replay", letter)

        async def both() -> bool:
            return await outcomes(bus) == [TurnOutcome.FAILED, TurnOutcome.ANSWERED]

        await wait_until(both, 20.0, what="an answer to the text that was replayed")
        assert await letters(stack) == []


async def test_status_folds_again_what_it_can_and_says_what_it_cannot(tmp_path: Path) -> None:
    async with running_stack(tmp_path, (*BROKER_ONLY, "status")) as stack, connected(stack) as bus:
        good = await bus.publish(topology.texts(C), a_text(C), dedupe=True)
        await bury(bus, Place(subject=topology.texts(C), seq=good), "the database was broken", service="status")
        await bus.js.publish(topology.reports(C, "p"), b"{")
        await wait_until(lambda: _count(stack, 2), 20.0, what="a dead letter of status")
        assert "InboundMessage" in await done(
            stack, "dead-letters", "replay", letter_id("status", topology.texts(C), good)
        )
        (bad,) = await letters(stack)
        assert "REPORTS 1" in await refusal(stack, "dead-letters", "replay", bad)
        assert await letters(stack) == [bad]


async def _count(stack: Stack, count: int) -> bool:
    return len(await letters(stack)) == count
