"""A worker that hears the bells of texts, with a drain that the test brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.stack import Stack
from integration.common.connections import connected
from parley_common import topology
from parley_common.bells import BellSubscriber
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.doorbells import Bell, Doorbells, Drain


@dataclass
class Listener:
    """The doorbells, and all deliveries in order."""

    bus: Bus
    doorbells: Doorbells
    delivered: list[int] = field(default_factory=list)

    async def on_bell(self, subject: str, bell: Bell, _body: bytes) -> None:
        """Notes the delivery and rings."""
        self.delivered.append(bell.seq)
        await self.doorbells.ring(topology.conversation_of(subject), bell)


@asynccontextmanager
async def listening(broker: Stack, drain: Drain, *, beats: bool = True) -> AsyncIterator[Listener]:
    """A worker on the agent's consumer; without ``beats`` it doesn't keep its bells alive."""
    async with connected(broker) as bus:
        listener = Listener(bus, Doorbells(bus, drain))
        subscriber = BellSubscriber(Broker(broker.nats_url), topology.AGENT_BELLS, listener.on_bell)
        await subscriber.wait_declared(bus)
        await subscriber.start()
        beating = asyncio.create_task(listener.doorbells.keep_alive()) if beats else None
        try:
            yield listener
        finally:
            await subscriber.stop(bus)
            await listener.doorbells.stop(grace_s=1.0)
            if beating is not None:
                beating.cancel()


async def unacked(bus: Bus) -> int:
    """How many bells are delivered and not acked yet, by the broker's count."""
    info = await bus.js.consumer_info(topology.CONVERSATIONS, topology.AGENT_BELLS)
    return info.num_ack_pending or 0


async def open_bells(bus: Bus) -> int:
    """How many bells are not acked yet, delivered or not."""
    info = await bus.js.consumer_info(topology.CONVERSATIONS, topology.AGENT_BELLS)
    return (info.num_ack_pending or 0) + (info.num_pending or 0)


async def shorten_ack_wait(bus: Bus, ack_wait_s: float) -> None:
    """Makes the broker ring again sooner, so that a test need not wait as long as a service would."""
    consumer = next(consumer for consumer in topology.CONSUMERS if consumer.durable == topology.AGENT_BELLS)
    config = consumer.config()
    config.ack_wait = ack_wait_s
    await bus.js.add_consumer(topology.CONVERSATIONS, config)
