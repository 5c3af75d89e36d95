"""A virtual loop for the tests of this folder; they fail where a service logs an error it did not foresee."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from model.virtual import VirtualLoop, virtual_time


@pytest.fixture
def errors() -> list[str]:
    """What was logged as an error."""
    return []


@pytest.fixture
def loop(errors: list[str]) -> Iterator[VirtualLoop]:
    """The loop."""
    with virtual_time(errors) as loop:
        yield loop
