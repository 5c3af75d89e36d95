"""A pull subscription that FastStream can rely on, and the messages it has been given.

FastStream 0.7.8 gathers a batch by several fetches. It knows one of the two timeouts a fetch of nats-py may end
with; at any other error it forgets the messages it holds, and they come again only when their time to ack is
over. A consumer that is gone makes it ask again without a pause. A fetch that is cancelled at the end forgets what
has arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext

from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Link

_TROUBLE_PAUSE_S = 0.5
_FLUSH_S = 2

log = structlog.get_logger(__name__)

Decoder = Callable[[Any], Awaitable[Any]]
"""What stands in for FastStream's own, which gives up at a message that it cannot read."""


class Listening(NatsBroker):
    """FastStream's broker on a connection of our own kind.

    Where the one that FastStream 0.7.8 makes is refused, it raises inside nats-py's reconnects, which ends them.
    """

    def __init__(self, link: Link) -> None:
        super().__init__(logger=None, apply_types=False)
        self.link = link

    async def _connect(self) -> Client:
        await self.link.connect()
        self.config.connect(self.link.client)
        return self.link.client

    async def stop(self, *error: Any) -> None:
        """Stops the subscribers and closes the connection."""
        self.link.end()
        await super().stop(*error)


def faststream_broker(broker: Broker, name: str, *, lost: Callable[[], None] | None = None) -> Listening:
    """FastStream's connection to the broker. ``lost``: see ``Link``."""
    return Listening(Link(broker, name, lost=lost))


async def subscribe(
    broker: NatsBroker,
    consumer: topology.Consumer,
    *,
    pull: PullSub,
    decoder: Decoder,
    take: Callable[[Any], Awaitable[None]],
    held: set[str],
) -> None:
    """Has ``take`` called with what a durable consumer delivers and ``decoder`` makes of it; it acks by itself."""
    subscriber = broker.subscriber(
        consumer.subject,
        durable=consumer.durable,
        stream=JStream(consumer.stream, declare=False),
        pull_sub=pull,
        ack_policy=AckPolicy.MANUAL,
        decoder=decoder,
        inbox_prefix=_inbox_prefix(broker.connection),
    )
    subscriber(take)
    await start_when_possible(subscriber.start)
    assert subscriber.subscription is not None
    # Its task has not run yet: it first runs when this one waits.
    subscriber.subscription = SteadyPull(subscriber.subscription, held, broker.connection)


def _inbox_prefix(client: Client) -> bytes:
    """Where this connection may hear answers; FastStream alone would listen under ``_INBOX.`` whatever is set."""
    return f"{client.new_inbox().rpartition('.')[0]}.".encode()


async def start_when_possible(start: Callable[[], Awaitable[None]]) -> None:
    """Starts a subscriber, however long the broker takes to be able to answer."""
    while True:
        try:
            await start()
        except BROKER_TROUBLE as error:
            log.info("waiting for the broker to answer a subscriber", error=type(error).__name__)
            await asyncio.sleep(_TROUBLE_PAUSE_S)
        else:
            return


class SteadyPull(JetStreamContext.PullSubscription):
    """Stands before another subscription. ``held`` has the answer subjects of what is not yet settled."""

    def __init__(self, subscription: JetStreamContext.PullSubscription, held: set[str], client: Client) -> None:
        self._inner = subscription
        self._held = held
        self._client = client
        self._arrivals = _Arrivals(subscription._sub, held)  # noqa: SLF001 - see the module
        subscription._sub = self._arrivals  # type: ignore[assignment] # noqa: SLF001

    async def fetch(
        self,
        batch: int = 1,
        timeout: float | None = 5,  # noqa: ASYNC109 - the name nats-py gave it
        heartbeat: float | None = None,
    ) -> list[Msg]:
        """Up to ``batch`` messages; whatever is the matter, ``nats.errors.TimeoutError`` says there are none."""
        try:
            messages: list[Msg] = await self._inner.fetch(batch, timeout, heartbeat)
        except TimeoutError:
            raise NothingCame from None
        except BROKER_TROUBLE as error:
            log.info("nothing to pull from", error=type(error).__name__)
            await asyncio.sleep(_TROUBLE_PAUSE_S)
            raise NothingCame from None
        return messages

    async def unsubscribe(self) -> None:
        """Ends the subscription; what the broker had sent until then is among the held."""
        with contextlib.suppress(*BROKER_TROUBLE):
            await self._arrivals.end(self._client)
        await self._inner.unsubscribe()


class _Arrivals:
    """Stands before nats-py's subscription and notes what arrives there, so that nothing is forgotten."""

    def __init__(self, subscription: Subscription, held: set[str]) -> None:
        self.__dict__.update(_subscription=subscription, _held=held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_subscription"], name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__dict__["_subscription"], name, value)

    async def next_msg(self, timeout: float | None = 1.0) -> Msg:  # noqa: ASYNC109 - the name nats-py gave it
        message: Msg = await self.__dict__["_subscription"].next_msg(timeout)
        if message.reply:
            self.__dict__["_held"].add(message.reply)
        return message

    async def end(self, client: Client) -> None:
        """Asks for no more and takes in what is on its way."""
        await client._send_unsubscribe(self._id)  # noqa: SLF001 - what nats-py's own drain begins with
        await client.flush(timeout=_FLUSH_S)
        while not self._pending_queue.empty():
            await self.next_msg(timeout=_FLUSH_S)


async def hand_back(client: Client, held: set[str]) -> None:
    """Lets what was given out and not settled be delivered again at once."""
    for reply in list(held):
        await client.publish(reply, b"-NAK")
