"""The migrations make the schema that the code works with, however many replicas start at once."""

from __future__ import annotations

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from integration.status.rows import all_rows, fold_all
from parley_status import schema
from parley_status.database import Database
from parley_status.migration import NEWEST
from unit.status.samples import story

pytestmark = pytest.mark.anyio


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))


async def test_the_migrated_schema_is_the_one_in_the_code(database: Database) -> None:
    assert await database.read(differences) == []


async def test_the_newest_revision_is_the_one_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "parley_status:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]


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
