"""What a user of the embedded NATS tries, and what the server says to it at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import nats as client
from nats.aio.client import Client

from chart.nats_release import Nats
from parley_common import topology
from parley_common.lanes import LANES
from parley_status.intake import DURABLES

OWN = {
    "ingress": frozenset[str](),
    "agent": frozenset({topology.AGENT_BELLS}),
    "egress": frozenset(lane.durable for lane in LANES),
    "status": frozenset(DURABLES),
}
"""Whose consumers those are."""


@dataclass
class Attempts:
    """A connection of one user. ``errors``: what the server refused on it."""

    connection: Client
    errors: list[str]

    async def publish(self, subject: str) -> bool:
        """Whether the user may publish there."""
        before = len(self.errors)
        await self.connection.publish(subject, b"{}")
        await self._answered()
        return len(self.errors) == before

    async def hear(self, subject: str, queue: str = "") -> bool:
        """Whether the user may subscribe there."""
        before = len(self.errors)
        subscription = await self.connection.subscribe(subject, queue=queue)
        await self._answered()
        permitted = len(self.errors) == before
        if permitted:
            await subscription.unsubscribe()
        return permitted

    async def _answered(self) -> None:
        """Once the server has dealt with all that was sent. The client's PING goes before what is pending."""
        await self.connection.flush()
        await self.connection.flush()

    async def permitted(self, subjects: Iterable[str]) -> list[str]:
        """Those of the subjects that the user may publish to."""
        return [subject for subject in subjects if await self.publish(subject)]


@asynccontextmanager
async def attempts_of(nats: Nats, user: str) -> AsyncIterator[Attempts]:
    """A connection of this user that notes what it is refused."""
    errors: list[str] = []

    async def note(error: Exception) -> None:
        errors.append(str(error))

    connection = await client.connect(
        nats.url.split(",")[0],
        user=user,
        password=nats.passwords[user],
        inbox_prefix=f"_INBOX_{user}",
        error_cb=note,
        allow_reconnect=False,
    )
    try:
        yield Attempts(connection, errors)
    finally:
        await connection.close()


def others_consumers(user: str) -> Iterable[str]:
    """All that can be done with the consumers of others, and what only the operator may do with any."""
    for one in topology.CONSUMERS:
        api, place = "$JS.API.CONSUMER", f"{one.stream}.{one.durable}"
        yield f"{api}.DELETE.{place}"
        yield f"{api}.DURABLE.CREATE.{place}"
        yield f"{api}.CREATE.{place}"
        yield f"{api}.PAUSE.{place}"
        if one.durable not in OWN.get(user, frozenset()):
            yield f"{api}.CREATE.{place}.{one.subject}"
            yield f"{api}.MSG.NEXT.{place}"
            yield f"{api}.INFO.{place}"
            yield f"$JS.ACK.{place}.1.2.3.4.5"


def administration() -> Iterable[str]:
    """What changes streams, or takes them away whole."""
    for stream in (*(str(config.name) for config in topology.streams(topology.Limits())), "OTHER"):
        for verb in ("UPDATE", "DELETE", "PURGE", "MSG.DELETE", "SNAPSHOT", "RESTORE"):
            yield f"$JS.API.STREAM.{verb}.{stream}"
        if stream != topology.LEASES:
            yield f"$JS.API.STREAM.CREATE.{stream}"
        yield f"$JS.API.DIRECT.GET.{stream}"
    yield from ("$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES", "$JS.API.ACCOUNT.PURGE.APP")
    yield from ("$JS.API.META.LEADER.STEPDOWN", "$SYS.REQ.SERVER.PING", "control.sending.default")
    yield from ("control.restored", "control.hash-key", "dead.replayed", "control-request.replay")
