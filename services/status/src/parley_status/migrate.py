"""Brings the database to this release's schema and ends: what the migration Job runs before new replicas start.

It waits for a database that does not answer yet, does nothing where nothing is to be done, and may run beside
replicas of this release and the one before. It reads PARLEY_DATABASE_URL (or PARLEY_DATA_DIR) and no other secret.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import structlog

from parley_common.logs import start_logging
from parley_common.settings import SettingsError
from parley_common.shared_settings import read_readable_logs
from parley_status.database import Database
from parley_status.migration import NEWEST
from parley_status.settings import read_database_url

DEFAULT_WAIT_S = 600.0

log = structlog.get_logger(__name__)


class TookTooLong(Exception):  # noqa: N818 - what an operator is told
    """The database did not answer in time, or somebody held a lock for as long."""


async def migrate(url: str, *, wait_s: float) -> None:
    """Migrates once the database answers. Raises ``TookTooLong``."""
    database = Database(url)
    try:
        async with asyncio.timeout(wait_s):
            await database.migrate_when_possible()
    except TimeoutError:
        raise TookTooLong(
            f"the database could not be brought to this release's schema within {wait_s:g} s: see that it runs, "
            "that PARLEY_DATABASE_URL names it and its user, and that nobody holds a lock on its tables"
        ) from None
    database.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m parley_status.migrate", description=__doc__)
    parser.add_argument(
        "--wait-s",
        type=_seconds,
        default=DEFAULT_WAIT_S,
        metavar="SECONDS",
        help=f"how long to wait for the database, {DEFAULT_WAIT_S:g} by default",
    )
    given = parser.parse_args()
    try:
        url = read_database_url()
        start_logging("migrate", readable=read_readable_logs())
        asyncio.run(migrate(url, wait_s=given.wait_s))
    except SettingsError as error:
        sys.exit(str(error))
    except TookTooLong as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)  # a thread that waits for a lock cannot be told to stop
    log.info("migrated", schema=NEWEST)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


if __name__ == "__main__":
    main()
