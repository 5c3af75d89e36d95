"""Databases for the tests of the status service: each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from integration.status.postgres import Postgres, find_programs, running_postgres
from parley_status.database import Database
from parley_status.settings import read_settings


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests that want a database in it."""
    programs = find_programs()
    if programs is None:
        reason = "PostgreSQL's server programs are not installed (apt install postgresql)"
        assert os.environ.get("PARLEY_REQUIRE_POSTGRES") != "1", reason
        pytest.skip(reason)
    with running_postgres(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings that lead the service to an empty database."""
    if request.param == "sqlite":
        return {"PARLEY_DATA_DIR": str(tmp_path / "database")}
    server: Postgres = request.getfixturevalue("postgres")
    return {"PARLEY_DATABASE_URL": server.database_url()}


@pytest.fixture
def database_url(database_settings: dict[str, str]) -> str:
    """The empty database as the service would open it."""
    return read_settings({"PARLEY_API_KEY": "unused", **database_settings}).database_url


@pytest.fixture
async def database(database_url: str, anyio_backend: str) -> AsyncIterator[Database]:
    """A database with the schema and nothing in it."""
    opened = Database(database_url)
    await opened.migrate()
    yield opened
    opened.close()
