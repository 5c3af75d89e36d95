"""Order and once with three agents and three egress processes, some of them killed or frozen in the middle.

The seed of what is hurt when is fixed; the processes' own timing is not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from harness.people import simulator_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import events, topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import InboundText, MessageView

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

PEOPLE = [f"+1555018{n:04d}" for n in range(200)]
TEXTS = 20
SETTINGS = {
    "PARLEY_AGENT_FILE": str(Path(__file__).with_name("agent.toml")),
    "PARLEY_GATHER_S": "0.02",
    "PARLEY_SENDER_MPS": "1000",
    "PARLEY_SETTLE_S": "20",
}
_MARK = re.compile(r"t(\d+)\b")


@dataclass
class Story:
    """What the stream says of one conversation."""

    contact: str = ""
    texts: list[tuple[int, str]] = field(default_factory=list)
    turns: list[events.TurnDone] = field(default_factory=list)

    def ranges(self) -> list[list[int]]:
        """The texts of each turn, as far as every turn starts after the one before."""
        upto, found = 0, []
        for turn in self.turns:
            found.append([seq for seq, _ in self.texts if upto < seq <= turn.upto])
            assert turn.upto > upto, "a turn goes back"
            upto = turn.upto
        return found


@pytest.mark.parametrize(
    "people",
    [
        pytest.param(PEOPLE[:50], id="50 people"),
        pytest.param(PEOPLE, id="200 people", marks=pytest.mark.long),
    ],
)
async def test_every_text_is_in_one_turn_and_replies_keep_their_order(tmp_path: Path, people: list[str]) -> None:
    async with running_stack(tmp_path, settings=SETTINGS) as stack, simulator_of(stack) as simulator:
        for service in ("agent", "agent", "egress", "egress"):
            await stack.add_replica(service)
        async with anyio.create_task_group() as group:
            group.start_soon(_hurt, stack)
            for number in people:
                group.start_soon(_write, simulator, number)
        await wait_until(lambda: _all_answered(simulator, len(people) * TEXTS), 150.0, what="every text answered")
        stories = await _read_stories(stack)
        replies = await _replies(simulator)
    assert len(stories) == len(people)
    for story in stories:
        assert [seq for turn in story.ranges() for seq in turn] == [seq for seq, _ in story.texts]
        assert [text for turn in story.ranges() for text in _marks_of(story, turn)] == replies[story.contact]
        assert sorted(replies[story.contact], key=int) == [str(n) for n in range(TEXTS)]


async def _write(simulator: SimulatorControl, number: str) -> None:
    for n in range(TEXTS):
        await simulator.text(InboundText(sender=number, body=f"ECHO t{n}"))
        await anyio.sleep(0.25)


async def _hurt(stack: Stack) -> None:
    """One agent and one egress die, one agent is frozen for ten seconds, all in the middle of the work."""
    await anyio.sleep(1.5)
    stack["agent-2"].kill()
    stack["agent-3"].pause()
    await anyio.sleep(0.5)
    stack["egress"].kill()
    await anyio.sleep(9.5)
    stack["agent-3"].resume()
    await stack["agent-2"].start()


async def _all_answered(simulator: SimulatorControl, count: int) -> bool:
    return sum(len(marks) for marks in (await _replies(simulator)).values()) >= count


async def _replies(simulator: SimulatorControl) -> dict[str, list[str]]:
    """What each phone was sent, as the marks of the texts that were answered, in the order of acceptance."""
    found: dict[str, list[str]] = defaultdict(list)
    for message in await _accepted(simulator):
        found[message.to] += _MARK.findall(message.body)
    return found


async def _accepted(simulator: SimulatorControl) -> Sequence[MessageView]:
    messages: list[MessageView] = []
    since = 0
    while True:
        page = await simulator.messages(since_sequence=since, direction="outbound-api", limit=1_000)
        messages += page.messages
        if not page.more:
            return messages
        since = page.last_sequence


async def _read_stories(stack: Stack) -> list[Story]:
    bus = Bus(Broker(stack.nats_url), name="test")
    await bus.connect()
    stories: dict[str, Story] = defaultdict(Story)
    last = (await bus.js.stream_info(topology.CONVERSATIONS)).state.last_seq
    subscription = await bus.js.subscribe("conv.>", ordered_consumer=True)
    seq = 0
    while seq < last:
        message = await subscription.next_msg(timeout=5)
        seq = message.metadata.sequence.stream
        event = events.decode(message.data)
        story = stories[event.conversation]
        if isinstance(event, events.InboundMessage):
            story.contact = event.contact
            story.texts.append((seq, _MARK.findall(event.body)[0]))
        elif isinstance(event, events.TurnDone):
            story.turns.append(event)
    await bus.close()
    return list(stories.values())


def _marks_of(story: Story, turn: list[int]) -> list[str]:
    return [mark for seq, mark in story.texts if seq in turn]
