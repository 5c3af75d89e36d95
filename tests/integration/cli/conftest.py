"""A connection to the test's own broker, and a second broker in which nothing was ever declared."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.stack import Stack, running_stack
from integration.common.connections import connected
from parley_common.bus import Bus
from parley_dev.processes import BROKER


@pytest.fixture
async def bus(broker: Stack) -> AsyncIterator[Bus]:
    async with connected(broker) as bus:
        yield bus


@pytest.fixture
async def empty(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path / "empty", (BROKER,)) as stack:
        yield stack
