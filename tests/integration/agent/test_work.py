"""The agent as a process: it answers, waits for its broker, and ends in order with and without it."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from harness.stack import BROKER_ONLY, Stack, running_stack
from harness.waiting import wait_until
from integration.agent.workers import FakeBrain, done, lose_bells, said, send
from integration.common.connections import NUMBER, connected
from parley_agent.settings import read_settings
from parley_agent.work import AgentWork
from parley_brains.agents import Agent
from parley_common import sweep, topology
from parley_common.events import TurnOutcome
from parley_common.shared_settings import read_common

pytestmark = pytest.mark.anyio

SETTINGS = {"PARLEY_GATHER_S": "0.05", "SMS_ALLOW_ALL_USERS": "true", "TWILIO_PHONE_NUMBER": NUMBER}


@pytest.fixture
async def stack(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path, (*BROKER_ONLY, "agent"), SETTINGS) as running:
        yield running


async def open_bells(stack: Stack) -> int:
    async with connected(stack) as bus:
        info = await bus.js.consumer_info(topology.CONVERSATIONS, topology.AGENT_BELLS)
        return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def test_a_text_is_answered_and_its_bell_acked(stack: Stack) -> None:
    async with connected(stack) as bus:
        await send(bus, "HOURS")
        turns = await wait_until(lambda: done(bus), what="an answer")

    async def none_open() -> bool:
        return await open_bells(stack) == 0

    await wait_until(none_open, what="the ack of its bell")
    assert turns[0].outcome is TurnOutcome.ANSWERED
    assert "Monday" in said(turns)[0][0]


async def test_without_its_stream_it_is_not_ready(stack: Stack) -> None:
    async with connected(stack) as bus:
        await bus.js.delete_stream(topology.CONVERSATIONS)

    async def unready() -> bool:
        return not await stack["agent"].is_ready()

    await wait_until(unready, what="a failing /readyz")


async def test_a_consumer_that_vanished_is_declared_again_and_no_text_is_lost(stack: Stack) -> None:
    async with connected(stack) as bus:
        stack["agent"].pause()
        await send(bus, "HOURS", conversation="before")
        await bus.js.delete_consumer(topology.CONVERSATIONS, topology.AGENT_BELLS)
        assert not await stack["agent"].is_ready()
        await send(bus, "HOURS", conversation="after")
        stack["agent"].resume()
        for conversation in ("before", "after"):
            await wait_until(partial(done, bus, conversation), 20.0, what=f"an answer to the text {conversation}")
        await stack["agent"].ready()
        await send(bus, "HOURS", conversation="later")
        await wait_until(partial(done, bus, "later"), what="an answer to a later text")
        assert [len(await done(bus, conversation)) for conversation in ("before", "after", "later")] == [1, 1, 1]


async def test_a_text_whose_bell_was_lost_is_found_and_answered(
    broker: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "_AGE", timedelta(hours=-1))
    monkeypatch.setattr(sweep, "_EVERY_S", 0.5)
    common, settings = read_common(broker.environment), read_settings(broker.environment)
    async with connected(broker) as bus:
        await send(bus, "one")
        await lose_bells(bus)
        brain = FakeBrain()
        work = AgentWork(common, settings, Agent(file=brain.words, brain=brain))
        try:
            await work.start()
            await wait_until(partial(done, bus), 20.0, what="an answer to a text that no bell spoke of")
        finally:
            await work.stop(5.0)
        assert said(await done(bus)) == [["one"]]
        assert len(brain.asked) == 1


async def test_p12_it_waits_for_a_broker_that_comes_late(tmp_path: Path) -> None:
    stack = Stack(tmp_path, SETTINGS)
    agent = stack.prepare("agent", "agent", {})
    agent.spawn()
    try:
        await wait_until(lambda: "broker connection" in agent.output, what="an attempt to connect")
        assert not await agent.is_ready()
        await stack.start(BROKER_ONLY)
        await agent.ready()
    finally:
        await stack.stop()


async def test_it_starts_after_the_broker_was_restarted(stack: Stack) -> None:
    stack["agent"].kill()
    await stack["nats"].restart()
    stack["agent"].spawn()
    await stack["agent"].ready(8.0)


async def test_it_answers_over_a_restart_of_the_broker(stack: Stack) -> None:
    await stack["nats"].restart()
    async with connected(stack) as bus:
        await send(bus, "HOURS")
        await wait_until(lambda: done(bus), 20.0, what="an answer after the restart")


async def test_it_ends_soon_when_it_has_nothing_to_do(stack: Stack) -> None:
    begun_s = time.monotonic()
    await stack["agent"].stop(grace_s=10.0)
    assert time.monotonic() - begun_s < 8.0
    assert "Traceback" not in stack["agent"].output
    assert '"stopped"' in stack["agent"].output


async def test_it_ends_in_order_without_its_broker(stack: Stack) -> None:
    stack["nats"].kill()
    await stack["agent"].stop(grace_s=20.0)
    assert "Traceback" not in stack["agent"].output
    assert '"stopped"' in stack["agent"].output


async def test_it_ends_in_order_when_there_never_was_a_broker(stack: Stack) -> None:
    stack["agent"].kill()
    stack["nats"].kill()
    stack["agent"].spawn()
    await wait_until(lambda: "broker connection" in stack["agent"].output, what="an attempt to connect")
    await stack["agent"].stop(grace_s=20.0)
    assert "Traceback" not in stack["agent"].output
    assert '"stopped"' in stack["agent"].output
