"""Texts that come too late for an answer, or were perhaps answered before a restore (P13)."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.waiting import wait_until
from integration.agent.workers import (
    CHANNEL,
    C,
    Circumstances,
    FakeBrain,
    assert_in_order_and_once,
    dead_letters,
    die_answering,
    done,
    drain,
    said,
    send,
    worker,
)
from integration.common.connections import NUMBER
from parley_agent.gathering import MOST_TEXTS
from parley_agent.moments import Moments
from parley_common import topology
from parley_common.bus import Bus
from parley_common.events import Keyword, Restored, TurnOutcome

pytestmark = pytest.mark.anyio

ANSWERED, LATE, KEYWORD = TurnOutcome.ANSWERED, TurnOutcome.LATE, TurnOutcome.KEYWORD
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
whatever_the_brain = pytest.mark.parametrize("acts", [False, True], ids=["brain answers", "brain acts"])


async def outcomes(bus: Bus) -> list[TurnOutcome]:
    return [turn.outcome for turn in await done(bus)]


async def restored(bus: Bus, at: datetime) -> None:
    """What the operator's command says once it has restored a backup."""
    event = Restored(
        id=secrets.token_hex(16), at=at, channel="", conversation="", taken_at=at - timedelta(hours=8)
    )
    await bus.publish(topology.RESTORED, event)


@whatever_the_brain
async def test_late_texts_are_one_turn_with_one_apology(bus: Bus, *, acts: bool) -> None:
    brain = FakeBrain(acts=acts)
    seqs = await send(bus, *map(str, range(MOST_TEXTS + 5)), at=YESTERDAY)
    assert await drain(worker(bus, brain)) == seqs[-1]
    (turn,) = await done(bus)
    assert (turn.outcome, turn.first, turn.upto) == (LATE, seqs[0], seqs[-1])
    assert said([turn]) == [["Too late."]]
    assert brain.asked == []
    assert await dead_letters(bus) == []
    await assert_in_order_and_once(bus)


async def test_a_fresh_text_after_late_ones_is_answered(bus: Bus) -> None:
    brain = FakeBrain()
    await send(bus, "one", "two", at=YESTERDAY)
    await send(bus, "three", "four")
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [["Too late."], ["three\nfour"]]
    assert [turn.is_first for turn in brain.asked] == [True]
    await assert_in_order_and_once(bus)


async def test_a_late_text_that_arrives_after_a_fresh_one_does_not_join_it(bus: Bus) -> None:
    await send(bus, "fresh")
    await send(bus, "found in the log", at=YESTERDAY, backfilled=True)
    await drain(worker(bus, FakeBrain()))
    assert said(await done(bus)) == [["fresh"], ["Too late."]]
    await assert_in_order_and_once(bus)


async def test_nobody_is_excused_twice_a_day_whatever_comes_between(bus: Bus) -> None:
    conversations = worker(bus, FakeBrain())
    await send(bus, "one", at=YESTERDAY)
    await send(bus, "stop", keyword=Keyword.STOP)
    await bus.js.publish(topology.texts(C), b"unreadable")
    await send(bus, "two", at=YESTERDAY)
    await send(bus, "three")
    await drain(conversations)
    await send(bus, "four", at=YESTERDAY)
    await drain(worker(bus, FakeBrain(acts=True)))
    assert said(await done(bus)) == [["Too late."], [], [], [], ["three"], []]
    expected = [LATE, KEYWORD, TurnOutcome.UNREADABLE, LATE, ANSWERED, LATE]
    assert await outcomes(bus) == expected
    await assert_in_order_and_once(bus)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"contact": "+15550100299"}, TurnOutcome.NOT_ALLOWED),
        ({"keyword": Keyword.HELP}, KEYWORD),
        ({"contact": NUMBER}, TurnOutcome.ECHO),
    ],
)
async def test_late_texts_that_nobody_would_have_answered_get_no_apology(
    bus: Bus, fields: dict[str, str], outcome: TurnOutcome
) -> None:
    listed = replace(CHANNEL, allow_all=False, allowed=frozenset({"+15550100200"}))
    await send(bus, "one", at=YESTERDAY, **fields)
    await drain(worker(bus, FakeBrain(), Circumstances(channel=listed)))
    (turn,) = await done(bus)
    assert (turn.outcome, turn.messages) == (outcome, ())


async def test_a_begun_turn_that_is_late_by_now_ends_over_its_own_texts(bus: Bus) -> None:
    began = await send(bus, "one", "two", at=datetime.now(UTC) - timedelta(seconds=100))
    await die_answering(bus)
    later = await send(bus, "three", at=YESTERDAY)
    brain = FakeBrain(acts=True)
    await drain(worker(bus, brain, Circumstances(max_answer_age_s=99.0)))
    first, second = await done(bus)
    assert (first.first, first.upto, first.outcome) == (began[0], began[-1], LATE)
    assert (second.first, second.upto, second.outcome) == (later[0], later[0], LATE)
    assert said([first, second]) == [["Too late."], []]
    assert brain.asked == []
    await assert_in_order_and_once(bus)


async def test_any_age_is_answered_where_there_is_no_limit(bus: Bus) -> None:
    await send(bus, "one", at=YESTERDAY)
    await drain(worker(bus, FakeBrain(), Circumstances(max_answer_age_s=0.0)))
    assert said(await done(bus)) == [["one"]]


@whatever_the_brain
async def test_what_was_perhaps_answered_before_a_restore_is_not_answered_again(bus: Bus, *, acts: bool) -> None:
    now = datetime.now(UTC)
    brain = FakeBrain(acts=acts)
    await restored(bus, now - timedelta(minutes=5))
    await send(bus, "one", "two", at=now - timedelta(minutes=6))
    await send(bus, "found in the log", at=now - timedelta(minutes=5), backfilled=True)
    await send(bus, "three", at=now - timedelta(minutes=4))
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [[], ["three"]]
    assert await outcomes(bus) == [LATE, ANSWERED]
    assert [turn.text for turn in brain.asked] == ["three"]
    await assert_in_order_and_once(bus)


async def test_a_turn_that_was_begun_before_a_restore_is_not_tried_again(bus: Bus) -> None:
    await send(bus, "one")
    await die_answering(bus)
    await restored(bus, datetime.now(UTC))
    brain = FakeBrain(acts=True)
    await drain(worker(bus, brain))
    assert await outcomes(bus) == [LATE]
    assert brain.asked == []


async def test_a_restore_is_heard_by_a_worker_that_runs(bus: Bus) -> None:
    moments = Moments(bus, max_age_s=0.0)
    assert (await moments.now()).restored_at is None
    at = datetime.now(UTC)
    await restored(bus, at)

    async def heard() -> bool:
        return (await moments.now()).restored_at == at

    await wait_until(heard, what="the restore being heard")
