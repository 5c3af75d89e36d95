"""The database: SQLite in one file or PostgreSQL, one writer at a time, readers beside it.

Calls run in threads, so that the event loop never waits for a disk. This module knows no table.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from parley_common.settings import SettingsError
from parley_status.migration import upgrade

_READERS = 4
_WRITER_LOCK = 7_220_031
_BUSY_MS = 10_000
_SWITCH_AGAIN_S = 0.02
_RETRY_S = 1.0
_INTERRUPT_AGAIN_S = 0.1
_CANCEL_S = 1.0
_POSTGRES_OPTIONS = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "application_name": "parley-status"}
_POOL = {"pool_size": _READERS + 1, "max_overflow": 0, "hide_parameters": True}

log = structlog.get_logger(__name__)

T = TypeVar("T")

DATABASE_ERROR: type[Exception] = SQLAlchemyError
"""What every error of the database is."""


def is_trouble(error: BaseException) -> bool:
    """Whether the database is the matter (gone, locked, full, not migrated) and not what was to be written."""
    if isinstance(error, DBAPIError):
        return not isinstance(error, DataError | IntegrityError)
    return isinstance(error, PoolTimeoutError | OSError)


class Database:
    """Runs functions of a connection inside a transaction, in a thread."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._writing = self._engine.execution_options(parley_writes=True)
        self._writer = ThreadPoolExecutor(1, "database-writer")
        self._readers = ThreadPoolExecutor(_READERS, "database-reader")
        self._at_work: set[Any] = set()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` as the only writer over all replicas and commits; nothing is kept where it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs ``work`` on one consistent view."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def migrate(self) -> None:
        """Brings the schema to this release's; safe where several replicas do it at once."""
        await self.write(upgrade)

    async def migrate_when_possible(self) -> None:
        """The same, once the database answers; waits for as long as that takes."""
        while True:
            try:
                await self.migrate()
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("waiting for the database", error=type(error).__name__)
            else:
                return
            await asyncio.sleep(_RETRY_S)

    async def check(self) -> None:
        """Raises where the database does not answer."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")))

    def close(self, within_s: float | None = None) -> None:
        """Waits for what runs, at most ``within_s`` where that is given, and disconnects.

        What has not ended by then is interrupted and raises: a lock may be held by somebody for hours.
        """
        closed = threading.Event()
        if within_s is not None:
            threading.Thread(target=self._interrupt, args=(closed, within_s), daemon=True).start()
        for pool in (self._writer, self._readers):
            pool.shutdown(cancel_futures=within_s is not None)
        closed.set()
        self._engine.dispose()

    def _interrupt(self, closed: threading.Event, after_s: float) -> None:
        """Ends the statements of our connections until all is closed; a transaction goes on with its next one."""
        wait_s = after_s
        while not closed.wait(wait_s):
            for connection in tuple(self._at_work):
                with suppress(Exception):  # it has ended meanwhile, or the server is gone
                    _end_statement(connection)
            wait_s = _INTERRUPT_AGAIN_S

    @contextmanager
    def _noted(self, connection: Connection) -> Iterator[None]:
        """Notes that the connection is at work."""
        driver = connection.connection.dbapi_connection
        self._at_work.add(driver)
        try:
            yield
        finally:
            self._at_work.discard(driver)

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._writing.connect() as connection, self._noted(connection), connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
            return work(connection)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection, self._noted(connection):
            return work(connection)


def _end_statement(connection: Any) -> None:
    """Has the driver's connection end the statement that it waits for, from another thread."""
    if isinstance(connection, sqlite3.Connection):
        connection.interrupt()
    else:
        connection.cancel_safe(timeout=_CANCEL_S)


def _engine(url: str) -> Engine:
    try:
        parsed: URL = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "PARLEY_DATABASE_URL is not a URL: write postgresql://user:password@host/database"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, connect_args=_POSTGRES_OPTIONS, **_POOL)
    engine = create_engine(parsed, **_POOL)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Leaves BEGIN to us: the driver would begin late and a reader that turns writer would deadlock."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")


def _switch_to_wal(connection: Any) -> None:
    """Tries for as long as a lock may take: the busy timeout does not cover it, and replicas start at once."""
    deadline_s = time.monotonic() + _BUSY_MS / 1_000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(_SWITCH_AGAIN_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("parley_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
