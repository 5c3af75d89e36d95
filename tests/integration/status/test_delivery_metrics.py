"""What is counted of deliveries: each part's end once, and none again where the database is built anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import pytest
from prometheus_client import REGISTRY

from integration.status.rows import empty
from parley_common.events import Event
from parley_status.database import Database
from parley_status.metrics import count_deliveries
from parley_status.projection import Recorded, fold
from unit.status.samples import at, attempted, report, sent

pytestmark = pytest.mark.anyio

NAMES = (
    "parley_deliveries_total",
    "parley_delivery_failures_total",
    "parley_delivery_conflicts_total",
    "parley_delivery_seconds_sum",
    "parley_delivery_seconds_count",
)
NOW = at(60)
SENT = (attempted(), sent())


class Counted:
    """What the counters have gained since the test began."""

    def __init__(self) -> None:
        self._before = self._read()

    def more(self) -> dict[str, float]:
        """The gains, without those that are none."""
        now = self._read()
        return {name: now[name] - before for name, before in self._before.items() if now[name] != before}

    def _read(self) -> dict[str, float]:
        return {
            " ".join((sample.name, *sample.labels.values())): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
            if sample.name in NAMES
        }


async def take(database: Database, *batch: Event, now: datetime = NOW) -> None:
    """Folds a batch and counts it, as the intake does."""
    recorded = [Recorded(40 + place, event) for place, event in enumerate(batch)]  # type: ignore[arg-type]
    count_deliveries(await database.write(partial(fold, batch=recorded)), now)


DELIVERED = {
    "parley_deliveries_total delivered": 1.0,
    "parley_delivery_seconds_count delivered": 1.0,
    "parley_delivery_seconds_sum delivered": 5.0,
}


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param(((*SENT, report("sent", second=5), report("delivered", second=9)),), id="all at once"),
        pytest.param(((*SENT,), (report("sent", second=5),), (report("delivered", second=9),)), id="one by one"),
        pytest.param(((*SENT,), (report("delivered", second=9), report("sent", second=5))), id="out of order"),
        pytest.param(
            ((*SENT, report("delivered", second=9)), (report("read", second=11),)), id="delivered, then read"
        ),
    ],
)
async def test_a_part_that_arrives_is_counted_once(batches: Sequence[Sequence[Event]], database: Database) -> None:
    counted = Counted()
    for batch in batches:
        await take(database, *batch)
    assert counted.more() == DELIVERED
    for batch in batches:
        await take(database, *batch)
    assert counted.more() == DELIVERED


async def test_an_end_that_is_known_before_the_part_is_counted_with_it(database: Database) -> None:
    counted = Counted()
    await take(database, report("delivered", second=9))
    assert counted.more() == {}
    await take(database, *SENT)
    assert counted.more() == DELIVERED


@pytest.mark.parametrize(("code", "label"), [(30003, "30003"), (59999, "other"), (None, "none")])
async def test_a_part_that_does_not_arrive_is_counted_by_its_code(
    code: int | None, label: str, database: Database
) -> None:
    counted = Counted()
    await take(database, *SENT, report("undelivered", second=9, error_code=code))
    more = counted.more()
    assert more["parley_deliveries_total undelivered"] == 1.0
    assert more[f"parley_delivery_failures_total {label}"] == 1.0


async def test_ends_that_contradict_are_one_end_and_one_conflict(database: Database) -> None:
    counted = Counted()
    await take(database, *SENT, report("failed", second=9, error_code=30008))
    await take(database, report("delivered", second=3_590), now=at(3_600))
    more = counted.more()
    assert more["parley_deliveries_total failed"] == 1.0
    assert "parley_deliveries_total delivered" not in more
    assert more["parley_delivery_conflicts_total"] == 1.0


async def test_a_database_that_is_built_anew_counts_nothing_old_again(database: Database) -> None:
    events = (*SENT, report("failed", second=9), report("delivered", second=12))
    await take(database, *events)
    counted, later = Counted(), at(12) + timedelta(hours=1)
    await empty(database)
    await take(database, *events, now=later)
    await empty(database)
    for event in events:
        await take(database, event, now=later)
    assert counted.more() == {}
