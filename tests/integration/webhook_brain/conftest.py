"""A bot of the test's own."""

from collections.abc import AsyncIterator

import pytest

from harness.bot_server import BotServer, running_bot


@pytest.fixture
async def bot(anyio_backend: str) -> AsyncIterator[BotServer]:
    async with running_bot() as bot:
        yield bot
