"""The migrations make the schema that the code works with, however many replicas start at once."""

from __future__ import annotations

from functools import partial

import anyio
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from integration.status.rows import all_rows, fold_all
from parley_status import schema
from parley_status.database import Database
from parley_status.migration import NEWEST, migrate
from unit.status.samples import story

pytestmark = pytest.mark.anyio


_MESSAGE = """
    INSERT INTO messages (id, conversation, channel, direction, contact, our_address, body, media, created_at,
        sequence, position, state, outcome, segments)
    VALUES ('{}', 'c', 'default', '{}', '+15551234567', '+15550100000', 'hi', '[]', '2026-03-01 12:00:00',
        1, 0, '{}', '{}', 1)
"""
_PART = """
    INSERT INTO parts (part_id, message_id, conversation, channel, turn, message, part, of, phase, phase_sequence,
        state, attempts, segments)
    VALUES ('p', 'c', 'c', 'default', 1, 0, 0, 1, 'sent', 2, 'sent', 1, 1)
"""
OLD_ROWS = (
    _MESSAGE.format("a", "inbound", "handled", "failed"),
    _MESSAGE.format("b", "inbound", "handled", "answered"),
    _MESSAGE.format("c", "outbound", "delivered", "answered"),
    _PART,
)
"""As the release before this one writes them."""


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "parley_status:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def described(connection: Connection) -> dict[str, object]:
    """Every table with its columns, keys and indexes, as the database tells them."""
    inspector = inspect(connection)
    return {
        table: (
            sorted(str(column | {"comment": None}) for column in inspector.get_columns(table)),
            inspector.get_pk_constraint(table),
            sorted(
                f"{index['name']} {index['column_names']} {index['unique']}"
                f" {[str(value) for value in index.get('dialect_options', {}).values()]}"
                for index in inspector.get_indexes(table)
            ),
        )
        for table in inspector.get_table_names()
    }


def _drop_all(connection: Connection) -> None:
    schema.metadata.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))


async def test_the_schema_of_a_new_database_is_the_one_in_the_code(database: Database) -> None:
    assert await database.read(differences) == []


async def test_the_migrations_lead_to_the_schema_of_a_new_database(database: Database) -> None:
    made = await database.read(described)
    await database.write(_drop_all)
    await database.write(migrate)
    assert await database.read(described) == made
    assert len(made) == len(schema.metadata.tables) + 1


async def test_the_newest_revision_is_the_one_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "parley_status:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


async def test_what_the_first_release_kept_is_kept_and_told_its_origin(database_url: str) -> None:
    database = Database(database_url)
    await database.write(partial(upgrade_to, revision="0001"))
    for statement in OLD_ROWS:
        await database.write(partial(Connection.exec_driver_sql, statement=statement))
    await database.migrate()
    assert await database.read(differences) == []
    rows = await database.read(
        lambda connection: connection.execute(
            text("SELECT id, state, origin FROM messages ORDER BY id")
        ).fetchall()
    )
    assert [tuple(row) for row in rows] == [
        ("a", "unanswered", None),
        ("b", "handled", None),
        ("c", "delivered", "reply"),
    ]
    asked = await database.read(lambda connection: connection.execute(text("SELECT asked FROM parts")).scalar())
    assert asked == 0
    database.close()


async def test_the_release_before_goes_on_writing_while_it_is_replaced(database: Database) -> None:
    for statement in OLD_ROWS:
        await database.write(partial(Connection.exec_driver_sql, statement=statement))
    assert len((await all_rows(database))["parts"]) == 1


async def test_a_newer_schema_is_left_as_it_is(database: Database) -> None:
    newer = "UPDATE alembic_version SET version_num = '9999'"
    await database.write(partial(Connection.exec_driver_sql, statement=newer))
    await database.migrate()
    await fold_all(database, story())


async def test_replicas_that_start_at_once_migrate_once(database_url: str) -> None:
    replicas = [Database(database_url) for _ in range(4)]
    async with anyio.create_task_group() as group:
        for replica in replicas:
            group.start_soon(replica.migrate)
    assert await replicas[0].read(differences) == []
    for replica in replicas:
        replica.close()


async def test_a_start_on_a_full_database_keeps_what_is_there(database: Database) -> None:
    await fold_all(database, story())
    before = await all_rows(database)
    await database.migrate()
    assert await all_rows(database) == before
