"""The work of the service inside this process: what it says of itself when a part of it has died."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from harness.stack import BROKER_ONLY, running_stack
from harness.waiting import wait_until
from integration.common.connections import connected
from integration.status.postgres import Postgres
from parley_common import topology
from parley_common.background import end
from parley_common.shared_settings import read_common
from parley_status.database import _WRITER_LOCK, Database
from parley_status.settings import read_settings
from parley_status.work import StatusWork
from unit.status.samples import inbound, report

pytestmark = pytest.mark.anyio


async def test_a_background_task_that_has_died_makes_the_service_unready(
    tmp_path: Path, anyio_backend: str
) -> None:
    async with running_stack(tmp_path, BROKER_ONLY) as stack:
        settings = read_settings(stack.environment)
        work = StatusWork(read_common(stack.environment), Database(settings.database_url), settings)
        try:
            await work.start()
            assert await work.problems() == []
            names = list(work._background._tasks)
            assert len(names) == 4
            await end(work._background._tasks.values())
            problems = await work.problems()
            assert [name for name in names if not any(name in problem for problem in problems)] == []
        finally:
            await work.stop(5)


async def test_the_work_ends_within_its_grace_though_somebody_holds_the_database(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.database_url()
    async with running_stack(tmp_path, BROKER_ONLY, {"PARLEY_DATABASE_URL": url}) as stack:
        settings = read_settings(stack.environment)
        work = StatusWork(read_common(stack.environment), Database(settings.database_url), settings)
        await work.start()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(%s)", (_WRITER_LOCK,))
            async with connected(stack) as bus:
                await bus.publish(topology.texts("c"), inbound())
                await bus.publish(topology.reports("c", "part-0"), report("sent"))

                def is_waiting() -> bool:
                    waiting = other.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
                    return waiting == (1,)

                await wait_until(is_waiting, what="a fold that waits for the lock")
                async with asyncio.timeout(9.0):
                    await work.stop(3.0)
                assert not is_waiting()
