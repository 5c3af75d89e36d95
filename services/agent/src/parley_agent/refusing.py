"""Records that a person wants no more texts, before the turn that says so ends.

The change takes its id from the text, so that a worker that dies in between leaves the next one nothing to undo.
"""

from __future__ import annotations

from parley_agent.records import refusal
from parley_common.bus import Bus
from parley_common.channels import Channel
from parley_common.consent import ConsentLedger
from parley_common.events import InboundMessage
from parley_common.identity import Identity


class Refusing:
    """Writes refusals into the ledger of consent."""

    def __init__(self, bus: Bus, identity: Identity) -> None:
        self._consent = ConsentLedger(bus, identity)

    async def record(self, text: InboundMessage, channel: Channel) -> str | None:
        """Records it; the change's id where it is to be confirmed.

        None where that would be one text too many: they had refused before, here or to another number of the pool,
        or have come back since.
        """
        change = refusal(text, channel)
        before = await self._consent.last(change.scope, change.contact)
        await self._consent.record(change)
        if before is not None and not before.granted and before.id != change.id:
            return None
        after = await self._consent.last(change.scope, change.contact)
        if after is None or after.id != change.id:
            return None
        pool = channel.pool_of(change.scope)
        heard = await self._consent.granted(change.scope, change.contact, also=pool, confirming=change.id)
        return change.id if heard else None

    async def stands(self, text: InboundMessage, channel: Channel) -> bool:
        """Whether the person wants no texts from whoever would answer this one."""
        sender = channel.sender_for(text.recipient)
        return not await self._consent.granted(sender, text.contact, also=channel.pool_of(sender))
