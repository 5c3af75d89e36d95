"""All rows of a database, to compare what two ways of folding have left in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from parley_status import schema
from parley_status.database import Database
from parley_status.projection import Recorded, fold

Rows = dict[str, set[tuple[object, ...]]]


async def all_rows(database: Database) -> Rows:
    """Every row of every table."""
    return await database.read(_all_rows)


async def fold_all(database: Database, batch: Sequence[Recorded]) -> None:
    """Folds a batch in a transaction of its own."""
    await database.write(partial(fold, batch=batch))


async def empty(database: Database) -> None:
    """Removes every row."""
    await database.write(_empty)


def _all_rows(connection: Connection) -> Rows:
    return {
        name: {tuple(row) for row in connection.execute(table.select())}
        for name, table in schema.metadata.tables.items()
    }


def _empty(connection: Connection) -> None:
    for table in schema.metadata.tables.values():
        connection.execute(table.delete())
