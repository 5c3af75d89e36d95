"""Which parts are due to be asked for: those without a final state, at growing distances, the newest first."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from integration.status.rows import all_rows, fold_all
from parley_status.asking import MOST_ASKED
from parley_status.database import Database
from parley_status.projection import Recorded, note_asked
from parley_status.queries import parts_to_ask_for
from unit.status.samples import CHANNEL, at, attempted, report, sent, sid

pytestmark = pytest.mark.anyio

FIRST = timedelta(hours=12)
HOUR_S = 3600


def part(number: int, second: float = 0) -> Recorded:
    return Recorded(100 + number, sent(second=second, part_id=f"part-{number}", sid=sid(number)))


async def due(database: Database, hours: float, *, channel: str = CHANNEL, limit: int = 50) -> list[str]:
    find = partial(parts_to_ask_for, channel=channel, now=at(hours * HOUR_S), first=FIRST, limit=limit)
    return [found.part_id for found in await database.read(find)]


async def note(database: Database, times: int, hours: float) -> None:
    await database.write(partial(note_asked, asked={"part-0": times}, at=at(hours * HOUR_S)))


async def test_a_part_is_due_after_the_first_wait_and_not_before(database: Database) -> None:
    await fold_all(database, [part(0)])
    assert await due(database, 11.9) == []
    assert await due(database, 12) == ["part-0"]
    assert await due(database, 12, channel="other") == []


async def test_each_question_doubles_the_wait_until_none_follows(database: Database) -> None:
    await fold_all(database, [part(0)])
    for times, hours in enumerate((12, 24, 48, 96)):
        assert await due(database, hours - 0.1) == []
        assert await due(database, hours) == ["part-0"]
        await note(database, times + 1, hours)
    assert times + 1 == MOST_ASKED
    assert await due(database, 10_000) == []


@pytest.mark.parametrize(
    ("status", "is_due"),
    [
        ("queued", True),
        ("sent", True),
        ("delivered", False),
        ("read", False),
        ("undelivered", False),
        ("failed", False),
        ("canceled", False),
    ],
)
async def test_only_parts_without_a_final_state_are_due(database: Database, status: str, is_due: bool) -> None:
    await fold_all(database, [part(0), Recorded(1, report(status))])
    assert bool(await due(database, 12)) is is_due


async def test_a_part_without_a_sid_is_not_due(database: Database) -> None:
    await fold_all(database, [Recorded(40, attempted())])
    assert await due(database, 12) == []


async def test_a_round_takes_the_newest(database: Database) -> None:
    await fold_all(database, [part(number, second=number) for number in range(9)])
    assert await due(database, 13, limit=3) == ["part-8", "part-7", "part-6"]


async def test_folding_again_does_not_forget_that_twilio_was_asked(database: Database) -> None:
    await fold_all(database, [part(0)])
    await note(database, 2, 24)
    before = await all_rows(database)
    await fold_all(database, [part(0), part(0)])
    assert await all_rows(database) == before
    await fold_all(database, [Recorded(1, report("sent"))])
    assert await due(database, 47.9) == []
    assert await due(database, 48) == ["part-0"]


async def test_the_question_is_answered_from_its_index(database: Database) -> None:
    await fold_all(database, [part(number, second=number) for number in range(300)])
    await fold_all(database, [Recorded(n, report("delivered", n, second=n)) for n in range(299)])
    await fold_all(database, [part(299, second=299)])
    asked: list[tuple[str, Any]] = []

    def note_statement(_c: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        asked.append((statement, values))

    event.listen(database._engine, "before_cursor_execute", note_statement)
    assert await due(database, 13) == ["part-299"]
    plan = await database.read(partial(_plan, statement=asked[-1][0], values=asked[-1][1]))
    assert "parts_to_ask_for" in plan


def _plan(connection: Connection, statement: str, values: Any) -> str:
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
    words = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    return str(connection.exec_driver_sql(f"{words} {statement}", values).fetchall())
