"""The rendered containers as processes: they become ready, pass ``helm test``, and are replaced under load."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from chart.local.addresses import HOST
from chart.local.cluster import LocalCluster, running_release
from chart.local.crowd import Crowd, texting_crowd
from chart.local.knocking import knocking
from harness.helm import CHART, Values, render
from harness.waiting import wait_until
from integration.status.postgres import find_programs, running_postgres
from parley_simulator.control import SimulatorControl

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

RELEASE, NAMESPACE = "shop", "parley"
SERVICES = ("ingress", "agent", "egress", "status")
AGENT = (Path(__file__).parents[1] / "e2e" / "agent.toml").read_text()
ORDERLY = {"nats": (0, 1)}
"""nats-server ends with 1 where SIGTERM ends it, however orderly it does."""

VALUES: dict[str, Any] = {
    "telemetry": {"jaeger": {"enabled": False}},
    "channel": {"senderMps": 500, "dailyAnswersPerContact": 0},
    "agent": {"files": {"agent.toml": AGENT}, "settings": {"gatherSeconds": 0}},
    "egress": {"settings": {"settleSeconds": 20}},
}
THREE: dict[str, Any] = {
    "nats": {"embedded": {"replicas": 3}},
    "ingress": {"replicas": 2},
    "agent": {"replicas": 2},
    "egress": {"replicas": 2},
}


@pytest.fixture(scope="module")
async def release(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[LocalCluster]:
    """The demo's release, one of everything."""
    manifests = render(CHART / "values-demo.yaml", VALUES, release=RELEASE, namespace=NAMESPACE, kube="1.30.0")
    async with running_release(manifests, tmp_path_factory.mktemp("release"), NAMESPACE) as cluster:
        yield cluster


@pytest.fixture
def database() -> Iterator[dict[str, Any]]:
    """The values for two of status on PostgreSQL; none where that is not installed, and status has its SQLite."""
    programs = find_programs()
    if programs is None:
        yield {}
        return
    with running_postgres(programs) as server:
        yield {"status": {"replicas": 2, "database": {"url": server.database_url()}}}


@pytest.fixture
async def simulator(release: LocalCluster) -> AsyncIterator[SimulatorControl]:
    async with simulator_of(release) as control:
        yield control


def simulator_of(cluster: LocalCluster) -> SimulatorControl:
    (pod,) = cluster.of("simulator")
    (port,) = pod.ports.values()
    return SimulatorControl(f"http://{HOST}:{port}")


async def answer(cluster: LocalCluster, component: str, path: str) -> int:
    """The status with which the first pod of a component answers."""
    (port,) = cluster.of(component)[0].ports.values()
    async with httpx.AsyncClient(timeout=15.0) as http:
        return (await http.get(f"http://{HOST}:{port}{path}")).status_code


def is_unready(cluster: LocalCluster, component: str) -> bool:
    return not any(pod.is_ready for pod in cluster.of(component))


async def see_rollout(cluster: LocalCluster, component: str, crowd: Crowd) -> None:
    """Replaces the pods of a component while people text; each must end by itself, in time and well."""
    before = crowd.accepted
    for ending in await cluster.rollout(component):
        assert ending.in_time, ending
        assert all(code in ORDERLY.get(component, (0,)) for code in ending.codes.values()), ending
    cluster.see_no_restart()
    await wait_until(lambda: crowd.accepted > before, 30.0, what="texts during the rollout")


async def test_the_rendered_test_pod_passes_and_tells_each_step(release: LocalCluster) -> None:
    code, said = await release.run_test()
    assert code == 0, said
    steps = [re.sub(r"SM[0-9a-f]{32}", "SM…", line).partition(" (")[0] for line in said.splitlines()]
    assert steps[:4] == [f"{name} is ready" for name in SERVICES]
    assert "the agent has answered" in steps
    assert "the repeated webhook made no second turn" in steps
    assert steps[-1] == "all is well"


async def test_the_toolbox_speaks_with_the_broker_as_the_operator(release: LocalCluster) -> None:
    (pod,) = release.of("cli")
    code, said = await pod.run_inside("cli", ["parley", "switches", "--json"])
    assert (code, said) == (0, said)
    assert "Traceback" not in said


async def test_without_the_broker_all_stay_alive_and_none_is_ready(release: LocalCluster) -> None:
    (nats,) = release.of("nats")
    ending = await release.remove(nats)
    assert ending.in_time, ending
    for name in SERVICES:
        await wait_until(partial(is_unready, release, name), 30.0, what=f"{name} not being ready")
        assert await answer(release, name, "/readyz") == 503
        assert await answer(release, name, "/livez") == 200
    release.see_no_restart()
    await release.bring_back(nats)
    await release.ready()


async def test_each_service_is_replaced_under_load_and_nothing_is_lost_or_sent_twice(
    release: LocalCluster, simulator: SimulatorControl
) -> None:
    numbers = [f"+1555020{n:04d}" for n in range(8)]
    async with texting_crowd(simulator, numbers, every_s=2.0) as crowd:
        async with knocking(f"{release.url('ingress')}/livez") as knocks:
            await see_rollout(release, "ingress", crowd)
        assert set(knocks) == {"200"}, "somebody was led to a pod that no longer listened"
        for name in SERVICES[1:]:
            await see_rollout(release, name, crowd)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_three_brokers_and_two_of_each_service_are_replaced_under_load(
    tmp_path: Path, database: dict[str, Any]
) -> None:
    values: list[Values] = [CHART / "values-demo.yaml", VALUES, THREE, database]
    manifests = render(*values, release=RELEASE, namespace=NAMESPACE, kube="1.29.0")
    numbers = [f"+1555021{n:04d}" for n in range(20)]
    async with running_release(manifests, tmp_path, NAMESPACE) as cluster, simulator_of(cluster) as simulator:
        code, said = await cluster.run_test()
        assert code == 0, said
        async with texting_crowd(simulator, numbers, every_s=8.0) as crowd:
            for name in (*SERVICES, "nats"):
                await see_rollout(cluster, name, crowd)
        code, said = await cluster.run_test()
        assert code == 0, said
