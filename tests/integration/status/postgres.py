"""A PostgreSQL server of the tests' own, in a directory of their own, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from harness.ports import free_port
from harness.waiting import wait_until_blocking

_DEBIAN = Path("/usr/lib/postgresql")
_OPTIONS = ("-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60")


class Postgres:
    """A server; ``database_url`` makes a database that nobody else uses."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self._directory = directory
        self._port = free_port()
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it takes connections."""
        command = ["postgres", "-D", "data", "-p", str(self._port), "-k", str(self._directory), *_OPTIONS]
        self._process = self._spawn(command)
        wait_until_blocking(self._takes_connections, 30.0, what="a connection to PostgreSQL")

    def stop(self) -> None:
        """Ends it at once, as an operator's immediate shutdown does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=20)
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    def make_directory(self) -> None:
        """Makes what the server needs on disk."""
        made = self._spawn(["initdb", "-D", "data", "-U", "parley", "-A", "trust", "-E", "UTF8", "--no-sync"])
        assert made.wait(timeout=60) == 0, (self._directory / "log").read_text()

    def database_url(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        name = f"parley_{self._made}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://parley@127.0.0.1:{self._port}/{name}"

    def _takes_connections(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """The server refuses to run as root, so root hands it to the user it was installed with."""
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / command[0]), *command[1:]],
                cwd=self._directory,
                user="postgres" if os.getuid() == 0 else None,
                group="postgres" if os.getuid() == 0 else None,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def find_programs() -> Path | None:
    """Where PostgreSQL's server programs are, None where there are none that could be run."""
    installed = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("initdb")
    if found is None or (os.getuid() == 0 and not _has_user("postgres")):
        return None
    return Path(found).parent


@contextmanager
def running_postgres(programs: Path) -> Iterator[Postgres]:
    """A server that runs inside the block."""
    with tempfile.TemporaryDirectory(prefix="parley-postgres-") as name:
        directory = Path(name)
        if os.getuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        server = Postgres(programs, directory)
        try:
            server.make_directory()
            server.start()
            yield server
        finally:
            server.stop()


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
