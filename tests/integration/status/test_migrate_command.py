"""The migration Job's command: waits for the database, migrates once, ends; beside replicas that run."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import anyio
import psycopg
import pytest
from sqlalchemy import Connection

from harness.ports import free_port
from integration.status.postgres import Postgres
from integration.status.rows import all_rows, fold_all
from integration.status.test_migration import OLD_ROWS, differences, upgrade_to
from parley_status.database import Database
from unit.status.samples import story

pytestmark = pytest.mark.anyio


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "parley_status.migrate", *arguments]


def environment(settings: dict[str, str]) -> dict[str, str]:
    """That of the Job: the database, and nothing else."""
    return {"PATH": os.environ["PATH"], **settings}


async def run(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return await anyio.run_process(command(*arguments), env=environment(settings), check=False)


async def migrated(settings: dict[str, str], *arguments: str) -> str:
    """What it said, once it has ended well."""
    ended = await run(settings, *arguments)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode()


async def test_an_empty_database_gets_the_schema(database_settings: dict[str, str], database_url: str) -> None:
    assert '"event": "migrated"' in await migrated(database_settings)
    database = Database(database_url)
    assert await database.read(differences) == []
    database.close()


async def test_a_log_format_that_nobody_knows_is_refused_before_the_database_is_touched(
    tmp_path: Path,
) -> None:
    ended = await run({"PARLEY_DATA_DIR": str(tmp_path), "PARLEY_LOG_FORMAT": "txt"})
    assert (ended.returncode, ended.stderr) == (1, b"PARLEY_LOG_FORMAT is 'txt': write json or text\n")
    assert not (tmp_path / "status.db").exists()


async def test_an_old_schema_is_brought_to_this_release_and_keeps_its_rows(
    database_settings: dict[str, str], database_url: str
) -> None:
    database = Database(database_url)
    await database.write(partial(upgrade_to, revision="0001"))
    for statement in OLD_ROWS:
        await database.write(partial(Connection.exec_driver_sql, statement=statement))
    await migrated(database_settings)
    assert await database.read(differences) == []
    assert len((await all_rows(database))["messages"]) == 3
    database.close()


async def test_once_more_changes_nothing(database_settings: dict[str, str], database: Database) -> None:
    await fold_all(database, story())
    before = await all_rows(database)
    await migrated(database_settings)
    assert await all_rows(database) == before
    assert await database.read(differences) == []


async def test_many_at_once_beside_a_replica_that_writes_migrate_once(
    database_settings: dict[str, str], database_url: str
) -> None:
    replica = Database(database_url)
    await replica.write(partial(upgrade_to, revision="0001"))

    async def write() -> None:
        for statement in OLD_ROWS:
            await replica.write(partial(Connection.exec_driver_sql, statement=statement))

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        for _ in range(3):
            group.start_soon(migrated, database_settings)
    assert await replica.read(differences) == []
    rows = await all_rows(replica)
    assert (len(rows["messages"]), len(rows["parts"])) == (3, 1)
    replica.close()


async def test_it_waits_for_a_database_that_comes_up_later(postgres: Postgres) -> None:
    url = postgres.database_url()
    postgres.stop()
    try:
        settings = environment({"PARLEY_DATABASE_URL": url})
        async with await anyio.open_process(command(), env=settings) as process:
            assert process.stdout is not None
            assert b"waiting for the database" in await process.stdout.receive()
            postgres.start()
            with anyio.fail_after(30.0):
                assert await process.wait() == 0
    finally:
        if not postgres.is_running:
            postgres.start()


async def test_a_database_that_never_answers_ends_it_with_a_sentence() -> None:
    url = f"postgresql://parley:secret-word@127.0.0.1:{free_port()}/none"
    ended = await run({"PARLEY_DATABASE_URL": url}, "--wait-s", "1.5")
    assert ended.returncode == 1
    assert ended.stderr.decode().startswith(
        "the database could not be brought to this release's schema within 1.5 s: see that it runs"
    )
    assert b"secret-word" not in ended.stdout + ended.stderr
    assert b"Traceback" not in ended.stdout + ended.stderr


async def test_a_lock_that_somebody_holds_ends_it_with_a_sentence_and_changes_nothing(postgres: Postgres) -> None:
    url = postgres.database_url()
    database = Database(url.replace("postgresql:", "postgresql+psycopg:"))
    await database.write(partial(upgrade_to, revision="0001"))
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE messages IN ACCESS SHARE MODE")
        ended = await run({"PARLEY_DATABASE_URL": url}, "--wait-s", "2")
        assert ended.returncode == 1
        assert b"nobody holds a lock" in ended.stderr
    await migrated({"PARLEY_DATABASE_URL": url})
    assert await database.read(differences) == []
    database.close()


async def test_wrong_settings_are_one_sentence(tmp_path: Path) -> None:
    ended = await run({"PARLEY_DATABASE_URL": "mysql://host/db"})
    assert ended.returncode == 1
    assert ended.stderr.decode().startswith("PARLEY_DATABASE_URL is not for PostgreSQL: write postgresql://")
    for wrong in ("0", "-1", "inf", "soon"):
        ended = await run({"PARLEY_DATA_DIR": str(tmp_path)}, "--wait-s", wrong)
        assert ended.returncode == 2
    assert b"--wait-s" in (await run({}, "--help")).stdout
