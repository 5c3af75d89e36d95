"""Of which texts the attachments are fetched before their turn: not of those that no turn will look at."""

from __future__ import annotations

from datetime import UTC, datetime

from parley_agent import allowance
from parley_agent.policy import may_be_answered
from parley_common import topology
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import Channels
from parley_common.events import InboundMessage
from parley_common.tail import Tail, fold


class Welcome:
    """Looks at who sent a text, as the rules of its turn will."""

    def __init__(self, bus: Bus, channels: Channels) -> None:
        self._bus = bus
        self._channels = channels

    def may_text(self, text: InboundMessage) -> bool:
        """Whether this is somebody who may text us at all; nothing is read for it."""
        channel = self._channels.named(text.channel)
        return channel is not None and not channel.owns(text.contact) and may_be_answered(text, channel)

    async def is_due(self, text: InboundMessage) -> bool:
        """Whether the conversation is no loop, and was begun by us where people may begin none.

        Where the broker does not tell, it is: whoever fetches waits for the broker then.
        """
        channel = self._channels.named(text.channel)
        try:
            tally = (await self._tail(text.conversation)).tally
            if allowance.loops(tally, datetime.now(UTC)):
                return False
            if channel is None or channel.people_may_start or tally.greeted:
                return channel is not None
            subjects = topology.all_outbound(text.conversation)
            return any([await self._bus.last(subject) is not None for subject in subjects])
        except BROKER_TROUBLE:
            return True
        except ValueError:  # an event of another release
            return False

    async def _tail(self, conversation: str) -> Tail:
        stored = await self._bus.last(topology.own(conversation))
        return Tail() if stored is None else fold(stored.event(), stored.seq)
