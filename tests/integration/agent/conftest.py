"""A connection to the test's own broker."""

from collections.abc import AsyncIterator

import pytest

from harness.stack import Stack
from integration.common.connections import connected
from parley_common.bus import Bus


@pytest.fixture
async def bus(broker: Stack) -> AsyncIterator[Bus]:
    async with connected(broker) as bus:
        yield bus
