"""What is left of "nothing is sent twice": a process frozen between its last look at the clock and its POST.

No write to the broker and no look at a clock can be one step with a request to Twilio. A process that freezes just
there for longer than the settle time sends what another has sent meanwhile. One moment earlier it does not.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chaos.copies import attempts_at, is_residue
from chaos.stories import read_stories
from harness.running import Running
from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.processes import egress_process
from integration.egress.twilio_stub import TwilioStub, running_stub
from integration.egress.workbench import THE_CLIENTS_WARNINGS, Conversation
from parley_common.broker import Broker
from parley_common.bus import Bus

pytestmark = [pytest.mark.anyio, pytest.mark.long, *THE_CLIENTS_WARNINGS]

SETTLE_S = 8.0
_SCRIPT = Path(__file__).with_name("frozen_egress.py")
_TAKEN_OVER_WITHIN_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A text whose first sender is frozen and that another process has sent meanwhile."""

    twilio: TwilioStub
    frozen: Running


async def test_frozen_between_the_last_look_at_the_clock_and_the_post_it_sends_twice(broker: Stack) -> None:
    async with _taken_over(broker, "after_check") as scene:
        scene.frozen.resume()
        await wait_until(lambda: len(scene.twilio.created) == 2, 20.0, what="the second copy")
        (story,) = await read_stories(broker.nats_url)
        copies = [post.at.timestamp() for post in scene.twilio.created]
        assert is_residue(copies, attempts_at(story, 1), SETTLE_S), "the judge of the chaos runs knows it"


async def test_frozen_before_the_last_look_at_the_clock_it_does_not(broker: Stack) -> None:
    async with _taken_over(broker, "before_check") as scene:
        scene.frozen.resume()
        await wait_until(lambda: "part not sent" in scene.frozen.output, 20.0, what="the frozen one giving up")
        await scene.frozen.stop()
        assert len(scene.twilio.created) == 1


@asynccontextmanager
async def _taken_over(broker: Stack, freeze_at: str) -> AsyncIterator[Scene]:
    """Runs to the moment at which the second process has sent what the frozen one was about to send."""
    bus = Bus(Broker(broker.nats_url), name="test")
    await bus.connect()
    async with running_stub() as twilio:
        frozen = egress_process(broker, "egress-1", twilio, rate_mps=1_000.0, settle_s=SETTLE_S)
        frozen.row = replace(frozen.row, command=(sys.executable, str(_SCRIPT)))
        frozen.environment["FREEZE_AT"] = freeze_at
        await frozen.start()
        await Conversation(bus).reply("t1")
        await wait_until(lambda: _is_frozen(frozen.pid), what="the process freezing itself")
        assert not twilio.posts
        await egress_process(broker, "egress-2", twilio, rate_mps=1_000.0, settle_s=SETTLE_S).start()
        await wait_until(lambda: twilio.created, _TAKEN_OVER_WITHIN_S, what="the other process sending")
        yield Scene(twilio=twilio, frozen=frozen)
    await bus.close()


def _is_frozen(pid: int) -> bool:
    """Whether the kernel says so: the state is what follows the name in parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
