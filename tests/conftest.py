"""What all tests share: the event loop, and a broker or a whole Parley for those that ask for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.stack import Stack, running_stack
from parley_dev.processes import BROKER


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The services run on asyncio, so do the tests."""
    return "asyncio"


@pytest.fixture
async def broker(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    """A broker of the test's own, with everything declared; a process for that would take a second."""
    async with running_stack(tmp_path, (BROKER,)) as stack:
        await stack.declare()
        yield stack


@pytest.fixture
async def parley(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    """The broker, the simulator and one of each service."""
    async with running_stack(tmp_path) as stack:
        yield stack
