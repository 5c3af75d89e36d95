"""A model server and a shop for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from harness.model_server import ModelServer, running_model_server
from harness.model_shop import Shop, running_shop


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[ModelServer]:
    """A model server that says hello."""
    async with running_model_server() as server:
        yield server


@pytest.fixture
async def shop(anyio_backend: str) -> AsyncIterator[Shop]:
    """The shop's computer."""
    async with running_shop() as shop:
        yield shop
