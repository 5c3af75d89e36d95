"""Caps, the loop guard and countries, counted in the cursor (P14)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from structlog.testing import capture_logs

from integration.agent.workers import (
    CHANNEL,
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    begun,
    die_answering,
    done,
    drain,
    said,
    send,
    worker,
)
from parley_agent.allowance import LOOP_CAPACITY
from parley_brains.brain import Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import Tally, TurnOutcome
from unit.agent.builders import an_end

pytestmark = pytest.mark.anyio

TWO_A_DAY = Circumstances(channel=replace(CHANNEL, daily_answers=2))
ANSWERED, CAPPED, LOOP = TurnOutcome.ANSWERED, TurnOutcome.CAPPED, TurnOutcome.LOOP
whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])


async def fails(_turn: Turn) -> tuple[str, ...]:
    raise ValueError("no idea")


async def text_and_drain(bus: Bus, brain: FakeBrain, bodies: list[str], around: Circumstances) -> None:
    """A new worker for each text: nothing is counted in memory."""
    for body in bodies:
        await send(bus, body)
        await drain(worker(bus, brain, around))


@whatever_the_brain
async def test_who_has_had_the_days_answers_is_told_once_and_then_met_with_silence(
    bus: Bus, *, acts: bool
) -> None:
    brain = FakeBrain(acts=acts)
    await text_and_drain(bus, brain, ["one", "two", "three", "four", "five"], TWO_A_DAY)
    turns = await done(bus)
    assert said(turns) == [["one"], ["two"], ["Enough for today."], [], []]
    assert [turn.outcome for turn in turns] == [ANSWERED, ANSWERED, CAPPED, CAPPED, CAPPED]
    assert len(brain.asked) == 2
    await assert_in_order_and_once(bus)


async def test_a_brain_that_fails_uses_up_the_days_answers_too(bus: Bus) -> None:
    brain = FakeBrain(answering=fails)
    await text_and_drain(bus, brain, ["one", "two", "three"], TWO_A_DAY)
    assert [turn.outcome for turn in await done(bus)][-1] is CAPPED
    assert len(brain.asked) == 2


async def test_a_worker_that_dies_loses_no_count(bus: Bus) -> None:
    await text_and_drain(bus, FakeBrain(acts=True), ["one"], TWO_A_DAY)
    await send(bus, "two")
    await die_answering(bus)
    answered = (await done(bus))[-1].tally
    assert (await begun(bus))[-1].tally == msgspec.structs.replace(answered, past=(3,))
    brain = FakeBrain(acts=True)
    await text_and_drain(bus, brain, ["three"], TWO_A_DAY)
    assert [turn.text for turn in brain.asked] == ["two"]
    assert [turn.outcome for turn in await done(bus)] == [ANSWERED, ANSWERED, CAPPED]


async def test_a_new_day_has_answers_of_its_own(bus: Bus) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    had_it = Tally(day=yesterday, answers=2, capped_on=yesterday)
    (seq,) = await send(bus, "one")
    end = an_end(conversation="c", upto=seq, first=seq, outcome=CAPPED, tally=had_it)
    await bus.append(topology.turn_done("c"), end, after=0, chain=topology.own("c"))
    await text_and_drain(bus, FakeBrain(), ["two", "three", "four"], TWO_A_DAY)
    assert said(await done(bus)) == [[], ["two"], ["three"], ["Enough for today."]]


async def test_two_bots_that_answer_each_other_come_to_an_end(bus: Bus) -> None:
    brain, most = FakeBrain(), int(LOOP_CAPACITY)
    with capture_logs() as logs:
        await text_and_drain(bus, brain, [f"text {n}" for n in range(most + 5)], Circumstances())
    turns = await done(bus)
    assert [turn.outcome for turn in turns[:most]] == [ANSWERED] * most
    assert {turn.outcome for turn in turns[most:]} >= {LOOP}
    assert said([turn for turn in turns if turn.outcome is LOOP])[0] == []
    assert "too many answers in a row, is it a loop of two bots?" in [
        line["event"] for line in logs if line["log_level"] == "warning"
    ]
    await assert_in_order_and_once(bus)


async def test_who_was_taken_for_a_bot_is_answered_once_it_has_drained(bus: Bus) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    full = Tally(level=LOOP_CAPACITY, level_at=an_hour_ago)
    (seq,) = await send(bus, "one")
    end = an_end(conversation="c", upto=seq, first=seq, outcome=LOOP, tally=full)
    await bus.append(topology.turn_done("c"), end, after=0, chain=topology.own("c"))
    await text_and_drain(bus, FakeBrain(), ["two"], Circumstances())
    assert said(await done(bus))[-1] == ["two"]


async def test_a_long_reply_weighs_as_many_messages_as_it_has(bus: Bus) -> None:
    async def chatty(_turn: Turn) -> tuple[str, ...]:
        return ("word",) * 15

    await text_and_drain(bus, FakeBrain(answering=chatty), ["one", "two", "three"], Circumstances())
    assert [turn.outcome for turn in await done(bus)] == [ANSWERED, ANSWERED, LOOP]


@whatever_the_brain
async def test_a_country_that_is_not_served_never_reaches_the_brain(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts)
    around = Circumstances(channel=replace(CHANNEL, countries=frozenset({"US"})))
    await send(bus, "one", contact="+447700900123")
    await send(bus, "two", contact="+15550100200")
    await drain(worker(bus, brain, around))
    turns = await done(bus)
    assert [turn.outcome for turn in turns] == [TurnOutcome.NOT_ALLOWED, ANSWERED]
    assert [turn.text for turn in brain.asked] == ["two"]


async def test_who_was_texted_nothing_yet_is_still_new(bus: Bus) -> None:
    brain = FakeBrain()
    around = Circumstances(channel=replace(CHANNEL, countries=frozenset({"US"})))
    await send(bus, "one", contact="+447700900123")
    await text_and_drain(bus, brain, ["two", "three"], around)
    assert [turn.is_first for turn in brain.asked] == [True, False]
