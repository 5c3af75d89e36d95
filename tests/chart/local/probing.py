"""The probes of a container as the kubelet asks them: startup first, then readiness and liveness."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from chart.local.addresses import HOST
from chart.local.manifests import container_port
from harness.helm import Manifest

_STARTUP = "startupProbe"
_KINDS = (_STARTUP, "readinessProbe", "livenessProbe")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What is asked, and how often it may fail in a row."""

    url: str
    period_s: float
    timeout_s: float
    failures: int

    async def complaint(self) -> str:
        """Asks once; what is wrong, empty where nothing is."""
        try:
            async with httpx.AsyncClient(timeout=self.timeout_s) as http:
                answer = await http.get(self.url)
        except (httpx.HTTPError, OSError) as error:
            return f"{self.url}: {type(error).__name__}"
        return "" if 200 <= answer.status_code < 400 else f"{self.url}: {answer.status_code} {answer.text[:300]}"


def probes_of(container: Manifest, spec: Manifest, ports: Mapping[int, int], pace: float) -> dict[str, Probe]:
    """The probes of a container by their kind, towards the ports that stand for the pod's.

    Their periods are the manifest's times the pace, but for the startup's: how long a start takes is not ours to say.
    """
    paces = {_STARTUP: 1.0}
    found = [kind for kind in _KINDS if kind in container]
    return {kind: _probe(container[kind], spec, ports, paces.get(kind, pace)) for kind in found}


def _probe(given: Mapping[str, Any], spec: Manifest, ports: Mapping[int, int], pace: float) -> Probe:
    get = given["httpGet"]
    local = ports[container_port(spec, get["port"])]
    return Probe(
        url=f"http://{HOST}:{local}{get.get('path', '/')}",
        period_s=given.get("periodSeconds", 10) * pace,
        timeout_s=float(given.get("timeoutSeconds", 1)),
        failures=int(given.get("failureThreshold", 3)),
    )


class Watch:
    """What the kubelet knows of one container.

    ``unready``: what readiness said last. ``complaint``: why the kubelet would kill it, empty where it would not.
    """

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes
        self.is_started = _STARTUP not in probes
        self.is_ready = False
        self.unready = "never asked"
        self.complaint = ""

    async def go_on(self) -> None:
        """Probes until it is cancelled."""
        startup = self._probes.get(_STARTUP)
        if startup is not None and not await self._starts(startup):
            self.complaint = f"never started: {await startup.complaint()}"
            return
        self.is_started = True
        if "readinessProbe" not in self._probes:
            self.is_ready = True
        followed = [self._follow_readiness(), self._follow_liveness()]
        await asyncio.gather(*followed)

    async def _starts(self, probe: Probe) -> bool:
        for _ in range(probe.failures):
            if not await probe.complaint():
                return True
            await asyncio.sleep(probe.period_s)
        return False

    async def _follow_readiness(self) -> None:
        probe, failed = self._probes.get("readinessProbe"), 0
        while probe is not None:
            self.unready = await probe.complaint()
            if not self.unready:
                self.is_ready, failed = True, 0
            else:
                failed += 1
                self.is_ready = self.is_ready and failed < probe.failures
            await asyncio.sleep(probe.period_s)

    async def _follow_liveness(self) -> None:
        probe, failed = self._probes.get("livenessProbe"), 0
        while probe is not None:
            wrong = await probe.complaint()
            failed = failed + 1 if wrong else 0
            if failed >= probe.failures:
                self.complaint = f"not alive, {failed} times in a row: {wrong}"
            await asyncio.sleep(probe.period_s)
