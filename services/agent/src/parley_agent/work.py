"""What the agent does: doorbells of texts in, turns out."""

from __future__ import annotations

from collections.abc import Sequence

from parley_agent.conversations import Conversations
from parley_agent.media.desk import MediaDesk
from parley_agent.settings import Settings
from parley_agent.turns import Turns
from parley_brains.agents import Agent
from parley_common import topology
from parley_common.background import Background
from parley_common.bells import BellSubscriber
from parley_common.bus import Bus, Stored
from parley_common.dead_letters import count_letters
from parley_common.doorbells import Bell, Doorbells
from parley_common.hash_key import wait_same_hash_key
from parley_common.identity import Identity
from parley_common.lag import Lag
from parley_common.leases import Leases
from parley_common.media_store import MediaStore
from parley_common.metrics import show_broker
from parley_common.service import end_process
from parley_common.shared_settings import Common
from parley_common.sweep import Sweep


class AgentWork:
    """Holds the doorbells of conversations and has them drained."""

    def __init__(self, common: Common, settings: Settings, agent: Agent) -> None:
        self._bus = Bus(common.broker, name="parley-agent", lost=end_process)
        self._hash_key = common.hash_key
        self._brain = agent.brain
        self._leases = Leases(self._bus, settings.limits)
        self._media = MediaDesk(
            MediaStore(self._bus, kept_s=settings.limits.media_kept_s),
            settings.channels,
            folder=settings.agent_file.parent,
            within_s=settings.media_within_s,
        )
        turns = Turns(
            self._bus,
            agent,
            settings.channels,
            identity=Identity(common.hash_key),
            pace=settings.pace,
            in_doubt=lambda: self._leases.in_doubt,
            media=self._media,
        )
        conversations = Conversations(self._bus, self._leases, turns)
        self._doorbells = Doorbells(self._bus, conversations.drain)
        self._subscriber = BellSubscriber(common.broker, topology.AGENT_BELLS, self._on_bell)
        self._sweep = Sweep(
            self._bus,
            self._leases,
            topology.ALL_TEXTS,
            is_done=conversations.is_done,
            ring=self._on_swept,
        )
        self._lag = Lag(self._bus, (topology.AGENT_BELLS,))
        self._background = Background()
        count_letters("agent")
        show_broker(lambda: self._bus.nc.is_connected)

    async def start(self) -> None:
        """Waits for the broker and the declare step, then listens for doorbells."""
        await self._bus.connect()
        await self._subscriber.wait_declared(self._bus)
        await wait_same_hash_key(self._bus, self._hash_key)
        await self._leases.renew()
        self._background.start("renewing the session", self._leases.keep_alive())
        self._background.start("keeping bells alive", self._doorbells.keep_alive())
        self._background.start("declaring the consumer again", self._subscriber.keep_declared(self._bus))
        self._background.start("sweeping", self._sweep.keep_sweeping())
        self._background.start("looking at the lag", self._lag.keep_looking())
        await self._subscriber.start()

    async def stop(self, grace_s: float) -> None:
        """Ends the turns in work, hands back what was not begun."""
        await self._subscriber.stop(self._bus)
        await self._doorbells.stop(grace_s / 2)
        await self._background.stop()
        await self._brain.close()
        await self._media.close()
        await self._leases.end()
        await self._bus.close()

    async def problems(self) -> Sequence[str]:
        """Why no text can be answered now."""
        return [*self._background.problems(), *await self._subscriber.problems(self._bus)]

    async def _on_bell(self, subject: str, bell: Bell, body: bytes) -> None:
        self._media.begin(body)
        await self._doorbells.ring(topology.conversation_of(subject), bell)

    async def _on_swept(self, text: Stored) -> None:
        await self._on_bell(text.subject, Bell(seq=text.seq, reply=""), text.data)
