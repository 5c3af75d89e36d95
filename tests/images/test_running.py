"""The whole path through the containers of compose.yaml: read-only roots, and users without rights."""

from __future__ import annotations

import itertools
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from harness.people import Person, StatusApi
from harness.waiting import wait_until
from images.podman import Podman
from images.running import SERVED, Composed
from parley_simulator.control import SimulatorControl

pytestmark = [pytest.mark.images, pytest.mark.anyio, pytest.mark.timeout(1800)]

_people = itertools.count(1)


@pytest.fixture(scope="module")
async def composed(podman: Podman, images: dict[str, str], anyio_backend: str) -> Composed:
    """Broker, services and simulator, ready; the end of the tests' podman is theirs as well."""
    running = Composed(podman, images, "path")
    await running.start()
    return running


@pytest.fixture
async def simulator(composed: Composed) -> AsyncIterator[SimulatorControl]:
    """The simulator, through its published port."""
    async with SimulatorControl(composed.url("PARLEY_SIMULATOR_PORT")) as control:
        yield control


@pytest.fixture
async def status(composed: Composed) -> AsyncIterator[StatusApi]:
    """The status API, through its published port."""
    headers = {"Authorization": f"Bearer {composed.environment['PARLEY_API_KEY']}"}
    async with httpx.AsyncClient(base_url=composed.url("PARLEY_STATUS_PORT"), headers=headers) as http:
        yield StatusApi(http)


@pytest.fixture
def person(simulator: SimulatorControl) -> Person:
    """Somebody whom no other test knows."""
    return Person(f"+1555019{next(_people):04d}", simulator)


async def delivered(status: StatusApi, person: Person, count: int) -> list[Any]:
    """The messages to a person once so many are delivered."""

    async def there() -> list[Any] | None:
        messages = list(await status.outbound(person.number))
        return messages if [one["state"] for one in messages] == ["delivered"] * count else None

    found: list[Any] | None = await wait_until(there, 40.0, what=f"{count} delivered messages")
    assert found is not None
    return found


async def test_a_text_is_answered_and_the_answer_delivered(person: Person, status: StatusApi) -> None:
    await person.text("hello")
    (answer,) = await person.wait_for(1)
    (message,) = await delivered(status, person, 1)
    detail = await status.get(f"/v1/messages/{message['id']}")
    assert [part["sid"] for part in detail["parts"]] == [answer.sid]
    conversation = await status.conversation(person.number)
    assert [one["direction"] for one in conversation["messages"]] == ["inbound", "outbound"]


@pytest.mark.parametrize("service", ["nats", *SERVED])
def test_a_container_has_no_rights_and_a_root_that_is_read_only(composed: Composed, service: str) -> None:
    state = composed.state(service)
    assert state["HostConfig"]["ReadonlyRootfs"] is True
    assert state["HostConfig"]["Privileged"] is False
    assert state["EffectiveCaps"] in ([], None)
    said = composed.podman.answer("exec", composed.name(service), "cat", "/proc/1/status")
    kernel = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    assert int(kernel["CapEff"], 16) == 0
    assert int(kernel["NoNewPrivs"]) == 1
    if service != "nats":
        assert kernel["Uid"].split() == ["10001"] * 4


async def test_a_terminated_container_ends_well_and_what_waited_is_done_when_it_is_back(
    composed: Composed, person: Person, status: StatusApi, capsys: pytest.CaptureFixture[str]
) -> None:
    answered = 0
    for service in ("agent", "egress", "status", "ingress"):
        took_s = composed.terminate(service)
        assert composed.state(service)["State"]["ExitCode"] == 0, composed.log(service)
        if service != "ingress":
            await person.text("hello")  # which has one answer, the first time as well
        composed.start_again(service)
        await composed.healthy(service)
        with capsys.disabled():
            sys.stdout.write(f"\n{service:10} ended {took_s:4.1f} s after SIGTERM")
        answered += service != "ingress"
        await delivered(status, person, answered)
    await person.text("hello")
    await delivered(status, person, answered + 1)


def test_their_memory_and_their_start_are_told(composed: Composed, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        for service in SERVED:
            memory_mib, after_s = composed.memory_mib(service), composed.ready_after_s[service]
            sys.stdout.write(f"\n{service:10} {memory_mib:4.0f} MiB, ready after {after_s:4.1f} s")
        sys.stdout.write("\n")
    assert all(composed.memory_mib(service) > 1 for service in SERVED)


@pytest.mark.parametrize("service", SERVED)
def test_no_container_has_written_a_traceback(composed: Composed, service: str) -> None:
    assert "Traceback" not in composed.log(service)


@pytest.mark.parametrize("service", [*SERVED[::-1], "nats"])
def test_sigterm_ends_each_within_its_grace_period_with_code_0(composed: Composed, service: str) -> None:
    composed.terminate(service)
    assert composed.exit_code(service) == 0, composed.log(service)
