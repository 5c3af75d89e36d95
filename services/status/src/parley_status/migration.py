"""Brings a database to this release's schema, inside the caller's transaction."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

NEWEST = "0001"
"""The last revision under ``migrations/versions``."""


def upgrade(connection: Connection) -> None:
    """Applies what is missing; cheap where nothing is."""
    if _revision(connection) == NEWEST:
        return
    # Alembic holds 10 MB for as long as the service runs, and is needed once in the life of a schema.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "parley_status:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
