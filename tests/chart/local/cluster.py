"""A release as processes of this machine: its workloads installed, its Services reachable, its rollouts made."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from chart.local.addresses import HOST, Addresses
from chart.local.manifests import TEST_HOOK, Objects, container_port, hooks_of, selects
from chart.local.pods import Ending, Pod, Setting
from chart.local.services import Balancer
from harness.helm import Manifest
from harness.ports import free_port
from harness.waiting import wait_until

_JOB_S = 60.0
_LAG_S = 1.0
"""For how long a Service still leads to a pod that was told to go: whoever balances load hears of it late."""


class LocalCluster:
    """The pods of a release. ``pace``: the share of each probe's period that is waited, to be done sooner."""

    def __init__(self, manifests: Sequence[Manifest], directory: Path, namespace: str, *, pace: float) -> None:
        release = tuple(one for one in manifests if not hooks_of(one))
        self._tests = [one for one in manifests if TEST_HOOK in hooks_of(one)]
        self.objects = Objects(release)
        self.pods: list[Pod] = []
        self._made: list[Pod] = []
        self._directory = directory
        self._addresses = Addresses(namespace)
        self._setting = Setting(self.objects, self._addresses, directory / "disks", pace)
        services = self.objects.of("Service")
        self._balancers = {one["metadata"]["name"]: self._balance(one) for one in services}
        self._fixed = {
            pod: ports for one in self.objects.of("StatefulSet") for pod, ports in self._name(one).items()
        }
        self._numbers = itertools.count(1)

    async def install(self) -> None:
        """Starts everything at once, as Helm does; the Jobs must end well."""
        for balancer in itertools.chain.from_iterable(self._balancers.values()):
            await balancer.start()
        for workload in [*self.objects.of("StatefulSet"), *self.objects.of("Deployment")]:
            for number in range(workload["spec"].get("replicas", 1)):
                await self._add(workload, number)
        jobs = [self._make(job, job["metadata"]["name"]) for job in self.objects.of("Job")]
        await asyncio.gather(self.ready(), *(_ends_well(job) for job in jobs))

    async def ready(self, timeout_s: float = 90.0) -> None:
        """Waits until every pod is ready."""

        def all_ready() -> bool:
            self.see_no_restart()
            return all(pod.is_ready for pod in self.pods)

        try:
            await wait_until(all_ready, timeout_s, what="every pod ready")
        except AssertionError:
            waited = [f"{pod.name} ({pod.unready})" for pod in self.pods if not pod.is_ready]
            raise AssertionError(f"not ready after {timeout_s:g} s: {', '.join(waited)}") from None

    def see_no_restart(self) -> None:
        """Fails where the kubelet would have restarted a container."""
        complaints = [complaint for pod in self.pods for complaint in pod.would_be_restarted]
        assert not complaints, complaints[0]

    def of(self, component: str) -> list[Pod]:
        """The pods of a component, the oldest first."""
        return [pod for pod in self.pods if pod.component == component]

    def url(self, component: str) -> str:
        """Where a component's Service answers."""
        labels = self.of(component)[0].labels
        (name,) = [one["metadata"]["name"] for one in self.objects.of("Service") if selects(one, labels)]
        (balancer,) = self._balancers[name]
        return f"http://{HOST}:{balancer.port}"

    async def rollout(self, component: str) -> list[Ending]:
        """Replaces the pods of a component as its Deployment or StatefulSet would."""
        kinds = [*self.objects.of("Deployment"), *self.objects.of("StatefulSet")]
        (workload,) = [one for one in kinds if _component(one) == component]
        if workload["kind"] == "StatefulSet":
            return [await self._replace(workload, pod, first=False) for pod in reversed(self.of(component))]
        first = workload["spec"]["strategy"]["type"] == "RollingUpdate"
        return [await self._replace(workload, pod, first=first) for pod in self.of(component)]

    async def remove(self, pod: Pod) -> Ending:
        """Deletes a pod and lets nothing take its place."""
        ending = await pod.delete()
        self.pods.remove(pod)
        return ending

    async def bring_back(self, pod: Pod) -> Pod:
        """A StatefulSet's pod again, under its name, with its volume."""
        (workload,) = [one for one in self.objects.of("StatefulSet") if _component(one) == pod.component]
        return await self._add(workload, int(pod.name.rpartition("-")[2]))

    async def run_test(self, timeout_s: float = 150.0) -> tuple[int | None, str]:
        """What ``helm test`` does; the exit code of the pod and what it wrote."""
        (manifest,) = self._tests
        pod = self._make(manifest, f"{manifest['metadata']['name']}-{next(self._numbers)}")
        return await pod.run_to_end(timeout_s), pod.output

    def kill(self) -> None:
        """Ends everything at once."""
        for pod in self._made:
            pod.kill()

    async def stop(self) -> None:
        """Ends everything."""
        self.kill()
        for balancer in itertools.chain.from_iterable(self._balancers.values()):
            await balancer.stop()

    def show_logs(self) -> None:
        """Writes the end of every log, for pytest to show beside a failure."""
        for pod in self.pods:
            sys.stdout.write(f"\n----- {pod.name}, ready: {pod.is_ready}\n{pod.output[-3_000:]}\n")

    async def _replace(self, workload: Manifest, pod: Pod, *, first: bool) -> Ending:
        """``first``: whether the new pod is ready before the old one goes."""
        number = int(pod.name.rpartition("-")[2]) if workload["kind"] == "StatefulSet" else 0
        if first:
            await self._add(workload, number)
            await self.ready()
        ending = await self.remove(pod)
        if not first:
            await self._add(workload, number)
        await self.ready()
        await asyncio.sleep(workload["spec"].get("minReadySeconds", 0) * self._setting.pace)
        return ending

    async def _add(self, workload: Manifest, number: int) -> Pod:
        name = workload["metadata"]["name"]
        own: dict[str, Path] = {}
        if workload["kind"] == "StatefulSet":
            name = f"{name}-{number}"
            templates = workload["spec"].get("volumeClaimTemplates", [])
            own = {one["metadata"]["name"]: self._disk(one["metadata"]["name"], name) for one in templates}
        else:
            name = f"{name}-{next(self._numbers)}"
        pod = self._make(workload, name, own)
        self.pods.append(pod)
        await pod.start()
        return pod

    def _make(self, owner: Manifest, name: str, own: Mapping[str, Path] | None = None) -> Pod:
        template = owner["spec"].get("template", owner)  # a Pod is its own
        folder = self._directory / f"{name}-{next(self._numbers)}"
        pod = Pod(name, template, self._setting, folder, own=own, ports=self._fixed.get(name))
        self._made.append(pod)
        return pod

    def _disk(self, volume: str, pod: str) -> Path:
        return self._setting.disks / f"{volume}-{pod}"

    def _balance(self, service: Manifest) -> list[Balancer]:
        """A listener for each port of a Service; a headless one's bare name leads to its pods all the same."""
        made = []
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            even_unready = bool(service["spec"].get("publishNotReadyAddresses"))
            balancer = Balancer(partial(self._ends, service, target, even_unready=even_unready))
            self._addresses.add(service["metadata"]["name"], port["port"], balancer.port)
            made.append(balancer)
        return made

    def _ends(self, service: Manifest, target: str | int, *, even_unready: bool) -> list[int]:
        """The ports behind a Service now."""
        now_s = time.monotonic()
        return [
            pod.ports[container_port(pod.spec, target)]
            for pod in self.pods
            if selects(service, pod.labels) and (pod.is_ready or even_unready) and _is_listed(pod, now_s)
        ]

    def _name(self, workload: Manifest) -> dict[str, dict[int, int]]:
        """The pods of a StatefulSet by name, each with ports that stay; their names become known."""
        template = workload["spec"]["template"]
        numbers = [int(p["containerPort"]) for one in template["spec"]["containers"] for p in one.get("ports", [])]
        found = {}
        for number in range(workload["spec"].get("replicas", 1)):
            name = f"{workload['metadata']['name']}-{number}"
            found[name] = {port: free_port() for port in numbers}
            for port, local in found[name].items():
                self._addresses.add(f"{name}.{workload['spec']['serviceName']}", port, local)
        return found


async def _ends_well(job: Pod) -> None:
    code = await job.run_to_end(_JOB_S)
    assert code == 0, f"{job.name} ended with {code}:\n{job.output[-2000:]}"


def _is_listed(pod: Pod, now_s: float) -> bool:
    return pod.terminating_since is None or now_s - pod.terminating_since < _LAG_S


def _component(workload: Manifest) -> str:
    return str(workload["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"])


@asynccontextmanager
async def running_release(
    manifests: Sequence[Manifest], directory: Path, namespace: str, *, pace: float = 0.2
) -> AsyncIterator[LocalCluster]:
    """A release that is installed and ready inside the block."""
    cluster = LocalCluster(manifests, directory, namespace, pace=pace)
    try:
        await cluster.install()
        yield cluster
    except BaseException:
        cluster.show_logs()
        raise
    finally:
        await cluster.stop()
