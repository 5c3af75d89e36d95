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

    async def complaint(self, http: httpx.AsyncClient) -> str:
        """Asks once; what is wrong, empty where nothing is."""
        try:
            answer = await http.get(self.url, timeout=self.timeout_s)
        except (httpx.HTTPError, OSError) as error:
            return f"{self.url}: {type(error).__name__}"
        return "" if 200 <= answer.status_code < 400 else f"{self.url}: {answer.status_code} {answer.text[:300]}"


def probes_of(container: Manifest, spec: Manifest, ports: Mapping[int, int], pace: float) -> dict[str, Probe]:
    """The probes of a container by their kind, towards the ports that stand for the pod's.

    Their periods are the manifest's times the pace, but for the startup's: that time belongs to the machine.
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
        """Probes until it is cancelled, over a new connection each time."""
        async with httpx.AsyncClient(verify=False, limits=httpx.Limits(max_keepalive_connections=0)) as http:
            await self._probe(http)

    async def _probe(self, http: httpx.AsyncClient) -> None:
        startup = self._probes.get(_STARTUP)
        if startup is not None and not await self._starts(startup, http):
            self.complaint = f"never started: {await startup.complaint(http)}"
            return
        self.is_started = True
        if "readinessProbe" not in self._probes:
            self.is_ready = True
        followed = [self._follow_readiness(http), self._follow_liveness(http)]
        await asyncio.gather(*followed)

    async def _starts(self, probe: Probe, http: httpx.AsyncClient) -> bool:
        for _ in range(probe.failures):
            if not await probe.complaint(http):
                return True
            await asyncio.sleep(probe.period_s)
        return False

    async def _follow_readiness(self, http: httpx.AsyncClient) -> None:
        probe, failed = self._probes.get("readinessProbe"), 0
        while probe is not None:
            self.unready = await probe.complaint(http)
            if not self.unready:
                self.is_ready, failed = True, 0
            else:
                failed += 1
                self.is_ready = self.is_ready and failed < probe.failures
            await asyncio.sleep(probe.period_s)

    async def _follow_liveness(self, http: httpx.AsyncClient) -> None:
        probe, failed = self._probes.get("livenessProbe"), 0
        while probe is not None:
            wrong = await probe.complaint(http)
            failed = failed + 1 if wrong else 0
            if failed >= probe.failures:
                self.complaint = f"not alive, {failed} times in a row: {wrong}"
            await asyncio.sleep(probe.period_s)
