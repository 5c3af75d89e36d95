"""What ingress does beside answering webhooks: it keeps a connection to the broker."""

from __future__ import annotations

from collections.abc import Sequence

from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.declare import wait_declared

_READY_TIMEOUT_S = 1.0


class IngressWork:
    """The connection that webhooks are published over."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._declared = False

    async def start(self) -> None:
        """Waits for the broker and the declare step."""
        await self._bus.connect()
        await wait_declared(self._bus.js, frozenset())
        self._declared = True

    async def stop(self, _grace_s: float) -> None:
        """Closes the connection; webhooks under way were answered before."""
        await self._bus.close()

    async def problems(self) -> Sequence[str]:
        """Why a webhook would be answered 503 now."""
        if not self._declared:
            return ["waiting for the broker and the declare step"]
        try:
            await self._bus.stream_answers(topology.CONVERSATIONS, timeout_s=_READY_TIMEOUT_S)
        except BROKER_TROUBLE as error:
            return [f"the broker does not answer for stream {topology.CONVERSATIONS}: {type(error).__name__}"]
        return []
