"""One running Parley for the tests of a module, each of which uses a person of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from harness.people import Person, StatusApi, simulator_of, status_of
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from parley_simulator.control import SimulatorControl

AGENT_FILE = Path(__file__).with_name("agent.toml")
QUICK = {
    "PARLEY_AGENT_FILE": str(AGENT_FILE),
    "PARLEY_GATHER_S": "0",
    "PARLEY_SENDER_MPS": "500",
    "PARLEY_SETTLE_S": "8",
    "PARLEY_TWILIO_TIMEOUT_S": "2",
}

SAID = ("good morning", "and now?", "word001", "patience", "still there?", "only once", "are you there?")
"""Some of what the tests of this folder write."""

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """Everything, one of each. Whatever the tests did, no log line tells who wrote what."""
    async with running_stack(tmp_path_factory.mktemp("whole"), settings=QUICK) as stack:
        yield stack
        assert leaks(stack, SAID) == []


@pytest.fixture
async def simulator(whole: Stack) -> AsyncIterator[SimulatorControl]:
    """The simulator's control routes; faults end with the test."""
    async with simulator_of(whole) as control:
        yield control
        await control.clear_faults()


@pytest.fixture
async def status(whole: Stack) -> AsyncIterator[StatusApi]:
    """The status API."""
    async with status_of(whole) as api:
        yield api


@pytest.fixture
def somebody(simulator: SimulatorControl) -> Callable[[], Person]:
    """Makes people whom no other test knows."""
    return lambda: Person(f"+1555016{next(_numbers):04d}", simulator)
