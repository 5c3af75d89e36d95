"""A rendered pod as processes: init containers first, then all others, probed; ended as the kubelet ends it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chart.local.addresses import HOST, Addresses, rewrite_listeners, rewrite_paths
from chart.local.environment import CannotStart, compose, environment_of
from chart.local.manifests import Objects
from chart.local.probing import Watch, probes_of
from chart.local.volumes import make_volumes, places_of, rewrite_files
from harness.helm import Manifest
from harness.ports import free_port
from harness.running import Running
from harness.waiting import wait_until
from parley_dev.processes import Process
from parley_dev.readiness import HasEnded

_SCRIPTS = sysconfig.get_path("scripts")
_GRACE_S = 30.0


@dataclass(frozen=True)
class Setting:
    """What a pod is put into. ``disks``: where claims lie. ``pace``: what share of a probe's period is waited."""

    objects: Objects
    addresses: Addresses
    disks: Path
    pace: float


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a pod went: how long it took of what it may take, and the exit code of each container."""

    pod: str
    took_s: float
    grace_s: float
    codes: Mapping[str, int | None]

    @property
    def in_time(self) -> bool:
        """Whether nobody had to kill it."""
        return self.took_s <= self.grace_s and all(code != -signal.SIGKILL for code in self.codes.values())


class Pod:
    """One pod. ``ports``: those of this machine, by the pod's own; given where they must stay the same."""

    def __init__(
        self,
        name: str,
        template: Manifest,
        setting: Setting,
        folder: Path,
        *,
        own: Mapping[str, Path] | None = None,
        ports: Mapping[int, int] | None = None,
    ) -> None:
        self.name = name
        self.labels: Mapping[str, str] = template["metadata"].get("labels", {})
        self.spec: Manifest = template["spec"]
        self.terminating_since: float | None = None
        self.complaints: list[str] = []
        wanted = [int(p["containerPort"]) for one in self.spec["containers"] for p in one.get("ports", [])]
        self.ports = {port: (ports or {}).get(port) or free_port() for port in wanted}
        self._setting = setting
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._volumes = make_volumes(self.spec, setting.objects, folder, setting.disks, own or {})
        self.running = {one["name"]: self._prepare(one) for one in self._all_containers()}
        rewrite_files(self._volumes, self.spec, self._rewrite_file)
        self._watches = {
            one["name"]: Watch(probes_of(one, self.spec, self.ports, setting.pace))
            for one in self.spec["containers"]
        }
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def component(self) -> str:
        """As in agent."""
        return self.labels["app.kubernetes.io/component"]

    @property
    def is_ready(self) -> bool:
        """Whether all its containers are ready, as its probes saw last."""
        return bool(self._tasks) and all(watch.is_ready for watch in self._watches.values())

    @property
    def unready(self) -> str:
        """Why it is not ready, as its probes saw last."""
        return "; ".join(watch.unready for watch in self._watches.values() if not watch.is_ready)

    @property
    def would_be_restarted(self) -> list[str]:
        """Why the kubelet would restart a container of it."""
        found = [watch.complaint for watch in self._watches.values() if watch.complaint]
        return [*self.complaints, *found]

    @property
    def output(self) -> str:
        """What all its containers have written."""
        return "".join(one.output for one in self.running.values())

    async def start(self) -> None:
        """Runs the init containers, one after another, then starts the others and their probes."""
        for one in self.spec.get("initContainers", []):
            code = await self._ends(self.running[one["name"]], 60.0)
            assert code == 0, f"{one['name']} of {self.name} ended with {code}:\n{self.output[-2000:]}"
        for name, watch in self._watches.items():
            self.running[name].spawn()
            self._tasks.append(asyncio.create_task(watch.go_on()))
            self._tasks.append(asyncio.create_task(self._see_end(name)))

    async def run_to_end(self, timeout_s: float) -> int | None:
        """Runs a pod that ends by itself; the exit code of its container."""
        (container,) = self.spec["containers"]
        for one in self.spec.get("initContainers", []):
            await self._ends(self.running[one["name"]], timeout_s)
        return await self._ends(self.running[container["name"]], timeout_s)

    async def run_inside(self, container: str, command: Sequence[str], timeout_s: float = 30.0) -> tuple[int, str]:
        """Runs a command as ``kubectl exec`` does; its exit code and what it wrote."""
        one = self.running[container]
        (spec,) = [each for each in self._all_containers() if each["name"] == container]
        words = self._localise_command(command, places_of(spec, self._volumes))
        beside = self._running(f"{container}-exec", words, one.environment, one.row.command[1])
        code = await self._ends(beside, timeout_s)
        return code if code is not None else -1, beside.output

    async def delete(self) -> Ending:
        """Ends it: out of the Services, preStop, SIGTERM, and SIGKILL where the grace period is over."""
        grace_s = float(self.spec.get("terminationGracePeriodSeconds", _GRACE_S))
        begun_s = self.terminating_since = time.monotonic()
        await self._stop_tasks()
        containers = {one["name"]: one for one in self.spec["containers"]}
        try:
            async with asyncio.timeout(grace_s):
                await asyncio.gather(*(self._end(one) for one in containers.values()))
        except TimeoutError:
            self.kill()
        codes = {name: self.running[name].exit_code for name in containers}
        return Ending(pod=self.name, took_s=time.monotonic() - begun_s, grace_s=grace_s, codes=codes)

    def kill(self) -> None:
        """Ends it at once, without a word."""
        for task in self._tasks:
            task.cancel()
        for one in self.running.values():
            one.kill()

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _end(self, container: Manifest) -> None:
        one = self.running[container["name"]]
        hook = container.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
        elif "exec" in hook:
            code, said = await self.run_inside(container["name"], hook["exec"]["command"])
            assert code == 0, f"preStop of {self.name}: {code} {said}"
        one.signal(signal.SIGTERM)
        while one.is_alive:
            await asyncio.sleep(0.02)

    async def _see_end(self, name: str) -> None:
        one = self.running[name]
        while one.is_alive:
            await asyncio.sleep(0.1)
        self._watches[name].is_ready = False
        self.complaints.append(f"{name} of {self.name} ended with {one.exit_code}:\n{one.output[-2000:]}")

    async def _ends(self, one: Running, timeout_s: float) -> int | None:
        one.spawn()
        await wait_until(lambda: not one.is_alive, timeout_s, what=f"the end of {one.row.name}")
        return one.exit_code

    def _all_containers(self) -> list[Manifest]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def _prepare(self, container: Manifest) -> Running:
        fields = {
            "metadata.name": self.name,
            "metadata.namespace": self._setting.addresses.namespace,
            "spec.nodeName": "node",
            "status.podIP": HOST,
        }
        given = environment_of(container, self._setting.objects, fields)
        places = places_of(container, self._volumes)
        local = {name: self._localise(name, rewrite_paths(value, places)) for name, value in given.items()}
        command = [*container.get("command", []), *container.get("args", [])] or image_command(container["image"])
        command = self._localise_command([compose(word, given) for word in command], places)
        home = self._folder / "root"
        home.mkdir(exist_ok=True)
        system = {"PATH": f"{_SCRIPTS}:{os.defpath}", "HOSTNAME": self.name, "TMPDIR": str(self._tmp())}
        return self._running(container["name"], command, {**system, **local}, f"--chdir={home}")

    def _running(self, name: str, command: Sequence[str], env: Mapping[str, str], place: str) -> Running:
        program = shutil.which(command[0], path=env["PATH"])
        if program is None:
            raise CannotStart(f"{self.name}: there is no {command[0]}")
        whole = ("/usr/bin/env", place, program, *command[1:])
        row = Process(name=f"{self.name}/{name}", command=whole, ready=HasEnded())
        return Running(row, env, self._folder / f"{name}.log")

    def _tmp(self) -> Path:
        path = self._volumes.get("tmp", self._folder / "tmp")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _rewrite(self, text: str) -> str:
        return self._setting.addresses.rewrite(text)

    def _localise_command(self, words: Sequence[str], places: Mapping[str, str]) -> list[str]:
        return [rewrite_paths(self._rewrite(word), places) for word in words]

    def _rewrite_file(self, text: str) -> str:
        places: dict[str, str] = {}
        for container in self._all_containers():
            places |= places_of(container, self._volumes)
        return rewrite_listeners(rewrite_paths(self._rewrite(text), places), self.ports)

    def _localise(self, name: str, value: str) -> str:
        """A variable in words of this machine: its own port, its own address, and where others are."""
        if name.endswith("_PORT") and value.isdigit() and int(value) in self.ports:
            return str(self.ports[int(value)])
        if value in ("0.0.0.0", "::"):  # what the chart says; here nobody else is to reach it
            return HOST
        local = self._rewrite(value)
        left = self._setting.addresses.unknown(local) if "://" in value else []
        assert not left, f"{self.name}: {name} is {value!r}, and {left[0]} has no such port"
        return local


def image_command(image: str) -> list[str]:
    """What an image of ours runs where the chart says nothing: its CMD."""
    service = image.rpartition("/")[2].partition("@")[0].partition(":")[0].rpartition("-")[2]
    return ["python", "-m", f"parley_{service}"]
