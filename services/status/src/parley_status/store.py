"""Rows in and out of tables: structs as they are, a set at a time. Knows SQL and no rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert
Struct = TypeVar("Struct", bound=msgspec.Struct)


def load(connection: Connection, table: Table, struct: type[Struct], where: ColumnElement[bool]) -> list[Struct]:
    """The rows for which ``where`` holds."""
    return fetch(connection, select(table).where(where), struct)


def fetch(connection: Connection, query: Select[Any], struct: type[Struct]) -> list[Struct]:
    """The rows of a query over all columns of a table, in its order."""
    return [as_struct(row, struct) for row in connection.execute(query)]


def as_struct(row: Row[Any], struct: type[Struct]) -> Struct:
    """A row as a struct whose fields are the row's columns; texts become the struct's enums."""
    return msgspec.convert(row._mapping, struct)  # noqa: SLF001 - public in spite of its name


def keep(connection: Connection, table: Table, rows: Iterable[msgspec.Struct]) -> None:
    """Adds the rows that are not there yet and leaves the others alone."""
    _write(connection, _keeping(table, connection.dialect.name), rows)


def save(connection: Connection, table: Table, rows: Iterable[msgspec.Struct]) -> None:
    """Adds the rows, or replaces those with the same key."""
    _write(connection, _saving(table, connection.dialect.name), rows)


def chosen(
    connection: Connection, table: Table, struct: type[Struct], key: str, values: Iterable[str]
) -> list[Struct]:
    """The rows whose column ``key`` holds one of the values."""
    wanted = sorted(set(values))
    return load(connection, table, struct, table.c[key].in_(wanted)) if wanted else []


def _write(connection: Connection, statement: Insert, rows: Iterable[msgspec.Struct]) -> None:
    values = [msgspec.structs.asdict(row) for row in rows]
    if values:
        connection.execute(statement, values)


@cache
def _keeping(table: Table, dialect: str) -> Insert:
    return _insert(table, dialect).on_conflict_do_nothing()


@cache
def _saving(table: Table, dialect: str) -> Insert:
    statement = _insert(table, dialect)
    keys: Sequence[str] = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_={column.name: statement.excluded[column.name] for column in table.c if column.name not in keys},
    )


def _insert(table: Table, dialect: str) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
