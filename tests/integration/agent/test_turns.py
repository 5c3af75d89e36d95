"""Which texts become which turn, and how each turn ends."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from structlog.testing import capture_logs

from harness.waiting import wait_until
from integration.agent.workers import (
    CHANNEL,
    C,
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    dead_letters,
    done,
    drain,
    said,
    send,
    worker,
)
from integration.common.connections import NUMBER, PERSON, history
from parley_agent.gathering import MOST_TEXTS
from parley_brains.brain import Turn
from parley_common import topology, tracing
from parley_common.bus import Bus
from parley_common.events import Keyword, TurnOutcome
from parley_common.logs import add_frames

pytestmark = pytest.mark.anyio

whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])
LISTED = replace(CHANNEL, allow_all=False, allowed=frozenset({PERSON}))
STRANGER = "+15550100299"


async def fails(_turn: Turn) -> tuple[str, ...]:
    raise ValueError("no idea")


@whatever_the_brain
async def test_texts_that_wait_together_are_one_turn(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts)
    seqs = await send(bus, "one", "two", "three")
    assert await drain(worker(bus, brain)) == seqs[-1]
    assert said(await done(bus)) == [["one\ntwo\nthree"]]
    assert len(brain.asked) == 1
    await assert_in_order_and_once(bus)


@whatever_the_brain
async def test_texts_that_come_one_by_one_are_turns_in_order(bus: Bus, *, acts: bool) -> None:
    conversations = worker(bus, FakeBrain(acts=acts))
    for body in ("one", "two", "three"):
        await send(bus, body)
        await drain(conversations)
    assert said(await done(bus)) == [["one"], ["two"], ["three"]]
    await assert_in_order_and_once(bus)


async def test_no_turn_is_longer_than_the_most_texts(bus: Bus) -> None:
    brain = FakeBrain()
    await send(bus, *map(str, range(MOST_TEXTS + 5)))
    await drain(worker(bus, brain))
    assert [len(turn.texts) for turn in brain.asked] == [MOST_TEXTS, 5]
    await assert_in_order_and_once(bus)


async def test_without_a_window_every_text_is_a_turn(bus: Bus) -> None:
    await send(bus, "one", "two")
    await drain(worker(bus, FakeBrain(), Circumstances(gather_s=0.0)))
    assert said(await done(bus)) == [["one"], ["two"]]


async def test_a_text_that_follows_within_the_window_joins_the_turn(bus: Bus) -> None:
    brain = FakeBrain()
    await send(bus, "so")
    draining = asyncio.create_task(drain(worker(bus, brain, Circumstances(gather_s=1.0))))
    await send(bus, "much", "text")
    await draining
    assert said(await done(bus)) == [["so\nmuch\ntext"]]


async def test_a_text_that_follows_after_the_window_is_a_turn_of_its_own(bus: Bus) -> None:
    answered = asyncio.Event()

    async def answer(turn: Turn) -> tuple[str, ...]:
        answered.set()
        return (turn.text,)

    await send(bus, "one")
    conversations = worker(bus, FakeBrain(answering=answer), Circumstances(gather_s=0.2))
    draining = asyncio.create_task(drain(conversations))
    await answered.wait()
    await send(bus, "two")
    await draining
    await drain(conversations)
    assert said(await done(bus)) == [["one"], ["two"]]


@whatever_the_brain
@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        pytest.param({"keyword": Keyword.STOP}, TurnOutcome.KEYWORD, id="a stop"),
        pytest.param({"contact": NUMBER}, TurnOutcome.ECHO, id="our own echo"),
        pytest.param({"contact": STRANGER}, TurnOutcome.NOT_ALLOWED, id="somebody who may not"),
    ],
)
async def test_a_text_that_gets_no_answer_is_a_silent_turn_amid_a_burst(
    bus: Bus, fields: dict[str, Any], outcome: TurnOutcome, *, acts: bool
) -> None:
    brain = FakeBrain(acts=acts)
    await send(bus, "one", "two")
    await send(bus, "silent", **fields)
    await send(bus, "three")
    await drain(worker(bus, brain, Circumstances(channel=LISTED)))
    assert said(await done(bus)) == [["one\ntwo"], [], ["three"]]
    assert [turn.outcome for turn in await done(bus)] == [TurnOutcome.ANSWERED, outcome, TurnOutcome.ANSWERED]
    assert [turn.text for turn in brain.asked] == ["one\ntwo", "three"]
    await assert_in_order_and_once(bus)


@whatever_the_brain
@pytest.mark.parametrize("data", [b"\xff", b"{}", b""], ids=["no text", "no event", "nothing"])
async def test_what_cannot_be_read_is_a_dead_letter_and_the_conversation_goes_on(
    bus: Bus, data: bytes, *, acts: bool
) -> None:
    await send(bus, "one")
    unreadable = await bus.js.publish(topology.texts(C), data)
    await send(bus, "two")
    await drain(worker(bus, FakeBrain(acts=acts)))
    assert said(await done(bus)) == [["one"], [], ["two"]]
    assert (await done(bus))[1].outcome is TurnOutcome.UNREADABLE
    (letter,) = await dead_letters(bus)
    assert (letter.stream, letter.sequence, letter.subject) == (
        topology.CONVERSATIONS,
        unreadable.seq,
        topology.texts(C),
    )
    await assert_in_order_and_once(bus)


@whatever_the_brain
async def test_a_brain_that_fails_is_excused_and_the_text_is_a_dead_letter(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts, answering=fails)
    (seq,) = await send(bus, "one")
    conversations = worker(bus, brain)
    await drain(conversations)
    await drain(conversations)
    (turn,) = await done(bus)
    assert (turn.outcome, said([turn])) == (TurnOutcome.FAILED, [["Sorry."]])
    (letter,) = await dead_letters(bus)
    assert (letter.sequence, letter.reason) == (seq, "the brain failed: ValueError")
    assert len(brain.asked) == 1


async def test_what_a_person_wrote_is_in_no_log_when_the_brain_fails(bus: Bus) -> None:
    async def answer(turn: Turn) -> tuple[str, ...]:
        raise ValueError(f"cannot parse {turn.text}")

    await send(bus, "my secret")
    with capture_logs(processors=[add_frames]) as logs:
        await drain(worker(bus, FakeBrain(answering=answer)))
    assert "the brain failed" in [line["event"] for line in logs]
    assert "my secret" not in str(logs)


async def test_a_text_of_a_channel_that_is_gone_is_a_dead_letter(bus: Bus) -> None:
    await send(bus, "one", channel="gone")
    await drain(worker(bus, FakeBrain()))
    (turn,) = await done(bus)
    assert (turn.outcome, turn.messages) == (TurnOutcome.FAILED, ())
    (letter,) = await dead_letters(bus)
    assert letter.reason == "its channel does not exist"


async def test_a_brain_may_say_nothing_or_much(bus: Bus) -> None:
    answers = [(), ("a", "  ", "b")]

    async def answer(_turn: Turn) -> tuple[str, ...]:
        return answers.pop(0)

    conversations = worker(bus, FakeBrain(answering=answer))
    for body in ("one", "two"):
        await send(bus, body)
        await drain(conversations)
    turns = await done(bus)
    assert said(turns) == [["Nothing."], ["a", "b"]]
    assert len({message.id for turn in turns for message in turn.messages}) == 3


async def test_only_the_first_turn_is_the_first(bus: Bus) -> None:
    brain = FakeBrain()
    conversations = worker(bus, brain)
    for body in ("one", "two"):
        await send(bus, body)
        await drain(conversations)
    assert [turn.is_first for turn in brain.asked] == [True, False]


@pytest.mark.parametrize("service", [None, "MG" + "0" * 32], ids=["a number", "a Messaging Service"])
async def test_an_answer_says_who_texts_whom_and_until_when(bus: Bus, service: str | None) -> None:
    await send(bus, "one")
    channel = replace(CHANNEL, messaging_service_sid=service)
    await drain(worker(bus, FakeBrain(), Circumstances(channel=channel)))
    (turn,) = await done(bus)
    assert (turn.sender, turn.contact, turn.channel) == (service or NUMBER, PERSON, "default")
    assert abs(turn.expires_at - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=30)


async def test_an_answer_is_in_the_trace_of_the_text(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    with tracing.span("webhook") as span:
        await send(bus, "one")
    await drain(worker(bus, FakeBrain()))
    stored = await bus.last(topology.turn_done(C))
    assert stored is not None
    assert trace.format_trace_id(span.get_span_context().trace_id) in stored.headers["traceparent"]


async def test_an_answer_too_large_for_the_broker_is_cut_to_what_a_phone_takes(bus: Bus) -> None:
    async def answer(_turn: Turn) -> tuple[str, ...]:
        return ("x" * 1_100_000,)

    await send(bus, "one")
    draining = asyncio.create_task(drain(worker(bus, FakeBrain(answering=answer))))
    try:
        ended = await wait_until(lambda: done(bus), 2.0, what="the end of the turn")
    finally:
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
    assert ended[0].outcome is TurnOutcome.ANSWERED
    assert len(ended[0].messages[0].text) == 1600


async def test_no_text_of_a_person_is_in_a_subject(bus: Bus) -> None:
    await send(bus, "secret", conversation=C)
    await drain(worker(bus, FakeBrain()))
    subjects = {stored.subject for stored in await history(bus, "conv.>")}
    assert subjects == {topology.texts(C), topology.turn_done(C)}
