"""The work of the service inside this process: what it says of itself when a part of it has died."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.stack import BROKER_ONLY, running_stack
from parley_common.background import end
from parley_common.shared_settings import read_common
from parley_status.database import Database
from parley_status.settings import read_settings
from parley_status.work import StatusWork

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
