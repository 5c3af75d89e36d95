"""A pull subscription that FastStream can rely on, and the messages it has given out.

FastStream 0.7.8 gathers a batch by several fetches. It knows one of the two timeouts a fetch of nats-py may end
with; at any other error it forgets the messages it holds, and they come again only when their time to ack is
over. A consumer that is gone makes it ask again without a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NothingCame
from nats.js import JetStreamContext

from parley_common.bus import BROKER_TROUBLE

_TROUBLE_PAUSE_S = 0.5

log = structlog.get_logger(__name__)


class SteadyPull(JetStreamContext.PullSubscription):
    """Stands before another subscription. ``held`` has the answer subjects of what is not yet settled."""

    def __init__(self, subscription: JetStreamContext.PullSubscription, held: set[str]) -> None:
        self._inner = subscription
        self._held = held

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
        self._held.update(message.reply for message in messages)
        return messages

    async def unsubscribe(self) -> None:
        """Ends the subscription."""
        await self._inner.unsubscribe()


async def hand_back(client: Client, held: Iterable[str]) -> None:
    """Lets what was given out and not settled be delivered again at once."""
    for reply in held:
        await client.publish(reply, b"-NAK")
