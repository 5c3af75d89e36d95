"""Who said STOP to whom: the latest cause wins, in whatever order and however often it is told."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from nats.js.errors import NotFoundError

from harness.stack import Stack
from integration.common.connections import NUMBER, PERSON, connected, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.consent import ConsentLedger
from parley_common.events import ConsentCause, ConsentChanged, LogRead, encode
from parley_common.identity import Identity

pytestmark = pytest.mark.anyio

IDENTITY = Identity(b"0123456789abcdef0123456789abcdef")
START_OF_DAY = datetime(2026, 1, 2, tzinfo=UTC)
EVERYTHING = "consent.*"


def change(
    what: str, *, minute: int, granted: bool, cause: ConsentCause = ConsentCause.KEYWORD, scope: str = NUMBER
) -> ConsentChanged:
    return ConsentChanged(
        id=what,
        at=START_OF_DAY + timedelta(minutes=minute),
        channel="default",
        conversation="c",
        scope=scope,
        contact=PERSON,
        granted=granted,
        cause=cause,
    )


def stop(what: str, *, minute: int) -> ConsentChanged:
    return change(what, minute=minute, granted=False)


def start(what: str, *, minute: int) -> ConsentChanged:
    return change(what, minute=minute, granted=True)


def refused_by_twilio(what: str, *, minute: int) -> ConsentChanged:
    return change(what, minute=minute, granted=False, cause=ConsentCause.TWILIO_21610)


@pytest.fixture
def ledger(bus: Bus) -> ConsentLedger:
    return ConsentLedger(bus, IDENTITY)


async def test_who_said_nothing_may_be_texted(ledger: ConsentLedger) -> None:
    assert await ledger.granted(NUMBER, PERSON)


async def test_a_stop_counts_until_a_start(ledger: ConsentLedger) -> None:
    await ledger.record(stop("SM1", minute=1))
    assert not await ledger.granted(NUMBER, PERSON)
    await ledger.record(start("SM2", minute=2))
    assert await ledger.granted(NUMBER, PERSON)
    await ledger.record(stop("SM3", minute=3))
    assert not await ledger.granted(NUMBER, PERSON)


async def test_a_stop_counts_for_one_person_and_one_sender(ledger: ConsentLedger) -> None:
    await ledger.record(stop("SM1", minute=1))
    assert await ledger.granted("MG" + "0" * 32, PERSON)
    assert await ledger.granted(NUMBER, "+15550100201")


async def test_an_older_refusal_of_twilio_does_not_undo_a_later_start(ledger: ConsentLedger) -> None:
    await ledger.record(start("SM2", minute=2))
    await ledger.record(refused_by_twilio("SM1", minute=1))
    assert await ledger.granted(NUMBER, PERSON)


async def test_a_later_refusal_of_twilio_counts(ledger: ConsentLedger) -> None:
    await ledger.record(start("SM1", minute=1))
    await ledger.record(refused_by_twilio("SM2", minute=2))
    assert not await ledger.granted(NUMBER, PERSON)


async def test_a_stop_that_is_told_again_after_a_start_changes_nothing(ledger: ConsentLedger, bus: Bus) -> None:
    await ledger.record(stop("SM1", minute=1))
    await ledger.record(start("SM2", minute=2))
    await ledger.record(stop("SM1", minute=9))
    assert await ledger.granted(NUMBER, PERSON)
    assert len(await history(bus, EVERYTHING)) == 2


async def test_a_repeat_is_known_behind_many_changes(ledger: ConsentLedger) -> None:
    for minute in range(0, 20, 2):
        await ledger.record(stop(f"stop {minute}", minute=minute))
        await ledger.record(start(f"start {minute}", minute=minute + 1))
    await ledger.record(stop("stop 2", minute=60))
    assert await ledger.granted(NUMBER, PERSON)


async def test_a_change_told_twice_is_recorded_once(ledger: ConsentLedger, bus: Bus) -> None:
    await ledger.record(stop("SM1", minute=1))
    await ledger.record(stop("SM1", minute=1))
    assert len(await history(bus, EVERYTHING)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_the_latest_cause_wins_in_whatever_order_it_is_told(
    ledger: ConsentLedger, order: tuple[int, ...]
) -> None:
    changes = [start("SM1", minute=1), stop("SM2", minute=2), start("SM3", minute=3)]
    for n in order:
        await ledger.record(changes[n])
    assert await ledger.granted(NUMBER, PERSON)


async def test_the_latest_cause_wins_where_many_are_told_at_once(bus: Bus, broker: Stack) -> None:
    changes = [change(f"SM{minute}", minute=minute, granted=minute % 2 == 0) for minute in range(10)]
    async with connected(broker) as other:
        ledgers = [ConsentLedger(bus, IDENTITY), ConsentLedger(other, IDENTITY)]
        await asyncio.gather(*(ledgers[n % 2].record(one) for n, one in enumerate(reversed(changes))))
        assert [await ledger.granted(NUMBER, PERSON) for ledger in ledgers] == [False, False]


async def test_what_was_said_last_to_any_number_of_a_pool_counts(ledger: ConsentLedger) -> None:
    service = "MG" + "0" * 32
    await ledger.record(stop("SM1", minute=1))
    assert not await ledger.granted(service, PERSON, also=(NUMBER,))
    await ledger.record(change("SM2", minute=2, granted=True, scope=service))
    assert await ledger.granted(service, PERSON, also=(NUMBER,))
    await ledger.record(stop("SM3", minute=3))
    assert not await ledger.granted(service, PERSON, also=(NUMBER,))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"type":"ConsentChanged","granted":true}', id="of another release"),
        pytest.param(b"{", id="no event"),
        pytest.param(
            encode(LogRead(id="x", at=START_OF_DAY, channel="", conversation="", upto=START_OF_DAY)),
            id="another event",
        ),
    ],
)
async def test_who_said_something_unreadable_is_not_texted_until_they_say_more(
    ledger: ConsentLedger, bus: Bus, data: bytes
) -> None:
    await bus.js.publish(topology.consent(IDENTITY.consent(NUMBER, PERSON)), data)
    assert not await ledger.granted(NUMBER, PERSON)
    await ledger.record(start("SM1", minute=1))
    assert await ledger.granted(NUMBER, PERSON)


async def test_where_the_ledger_cannot_be_read_nobody_may_be_texted(ledger: ConsentLedger, bus: Bus) -> None:
    await bus.js.delete_stream(topology.CONSENT)
    with pytest.raises(NotFoundError):
        await ledger.granted(NUMBER, PERSON)


async def test_a_stop_outlives_a_crash_of_the_broker(ledger: ConsentLedger, broker: Stack) -> None:
    await ledger.record(stop("SM1", minute=1))
    await broker["nats"].restart()
    async with connected(broker) as bus:
        assert not await ConsentLedger(bus, IDENTITY).granted(NUMBER, PERSON)


async def test_no_number_stands_in_a_subject_of_the_ledger(ledger: ConsentLedger, bus: Bus) -> None:
    await ledger.record(stop("SM1", minute=1))
    (stored,) = await history(bus, EVERYTHING)
    assert "5550100" not in stored.subject
