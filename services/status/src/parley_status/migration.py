"""Brings a database to this release's schema, inside the caller's transaction."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from parley_status.schema import metadata

NEWEST = "0003"
"""The last revision under ``migrations/versions``."""

_VERSION_TABLE = """
    CREATE TABLE alembic_version (
        version_num VARCHAR(32) NOT NULL,
        CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    )
"""
"""As Alembic makes it."""


def upgrade(connection: Connection) -> None:
    """Makes the tables in an empty database, else applies what is missing; cheap where nothing is.

    A newer release's schema is left as it is: this release can work with it, since columns are only ever added.
    """
    revision = _revision(connection)
    if revision is None:
        _create(connection)
    elif revision < NEWEST:
        migrate(connection)


def migrate(connection: Connection) -> None:
    """Applies the migrations one by one."""
    # Alembic holds 10 MB for as long as the service runs, and is needed once in the life of a schema.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "parley_status:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _create(connection: Connection) -> None:
    """The same schema without Alembic; a test compares the two."""
    metadata.create_all(connection)
    connection.execute(text(_VERSION_TABLE))
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": NEWEST})


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision
