"""Asks Twilio for parts whose last status callback has not come; publishes its answers as reports.

One replica asks, by a lease. It asks slowly: for a few parts a round, the newest first, one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import SpanKind

from parley_common import topology, tracing
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import Channel
from parley_common.leases import Leases
from parley_common.tracing_attributes import TWILIO_MESSAGE, http_client
from parley_status.asking import Answer, Trouble, asked_after, news
from parley_status.database import Database, is_trouble
from parley_status.metrics import ASKED
from parley_status.parts import Part
from parley_status.projection import note_asked
from parley_status.queries import parts_to_ask_for
from parley_status.settings import AskSettings

if TYPE_CHECKING:
    from parley_status.twilio_state import TwilioState

LEASE = "delivery-polling"
_A_ROUND = 50
_EVERY_S = 60.0

log = structlog.get_logger(__name__)


class Polling:
    """The asking of one replica."""

    def __init__(self, bus: Bus, leases: Leases, database: Database, settings: AskSettings) -> None:
        self._bus = bus
        self._leases = leases
        self._database = database
        self._channels = settings.channels
        self._after = timedelta(seconds=settings.after_s)
        self._every_s = min(_EVERY_S, settings.after_s)
        self._timeout_s = settings.timeout_s
        self._twilio: TwilioState | None = None

    async def keep_asking(self) -> None:
        """Asks again and again while the lease is ours, until cancelled."""
        try:
            while True:
                await self.try_round()
                await asyncio.sleep(self._every_s)
        finally:
            await self.close()

    async def close(self) -> None:
        """Ends the connections to Twilio."""
        if self._twilio is not None:
            await self._twilio.close()

    async def try_round(self) -> None:
        """Asks for what is due, if the lease is ours; trouble puts that off."""
        try:
            if await self._leases.take(LEASE) is None:
                await self._ask_round()
        except BROKER_TROUBLE as error:
            log.info("asking put off, the broker is in trouble", error=type(error).__name__)
        except Exception as error:
            if not is_trouble(error):
                raise
            log.info("asking put off, the database is in trouble", error=type(error).__name__)

    async def _ask_round(self) -> None:
        for channel in self._channels.all:
            find = partial(
                parts_to_ask_for, channel=channel.name, now=datetime.now(UTC), first=self._after, limit=_A_ROUND
            )
            parts = await self._database.read(find)
            if parts:
                await self._ask_all(channel, parts)

    async def _ask_all(self, channel: Channel, parts: Sequence[Part]) -> None:
        """Asks until Twilio or the broker is in trouble. What was answered until then is noted in any case.

        One message that always gets trouble keeps no other from being asked for: only two in a row are Twilio's.
        """
        asked: dict[str, int] = {}
        troubled: Part | None = None
        try:
            for part in parts:
                answer = await self._ask_traced(channel, part)
                if isinstance(answer, Trouble):
                    log.warning("asking put off", channel=channel.name, reason=answer.reason)
                    if troubled is not None:
                        break
                    troubled = part
                    continue
                asked[part.part_id] = asked_after(part, answer)
                if troubled is not None:
                    asked[troubled.part_id], troubled = troubled.asked + 1, None
        finally:
            if asked:
                await self._database.write(partial(note_asked, asked=asked, at=datetime.now(UTC)))
                log.info("asked Twilio for parts without a final state", asked=len(asked), due=len(parts))

    async def _ask_traced(self, channel: Channel, part: Part) -> Answer:
        """Asks, and publishes what was told. Hours after the part was sent: a trace of its own, linked to it."""
        attributes = http_client(channel.api_base_url, method="GET", template=TWILIO_MESSAGE)
        attributes |= {"parley.conversation": part.conversation, "parley.part_id": part.part_id}
        cause = tracing.cause(await self._origin_of(part), None, apart=True)
        with tracing.span(
            "twilio GET Message", SpanKind.CLIENT, parent=cause.parent, links=cause.links, attributes=attributes
        ) as span:
            answer = await self._ask(channel, part)
            span.set_attribute("parley.outcome", type(answer).__name__.lower())
            if not isinstance(answer, Trouble):
                await self._publish(channel, part, answer)
        return answer

    async def _origin_of(self, part: Part) -> Mapping[str, str]:
        """The headers of the turn, or the message without one, that the part belongs to."""
        stored = await self._bus.next(f"conv.{part.conversation}.>", seq=part.turn)
        return stored.headers if stored is not None and stored.seq == part.turn else {}

    async def _ask(self, channel: Channel, part: Part) -> Answer:
        assert part.sid is not None
        twilio = await self._opened()
        answer = await twilio.ask(channel, part.sid)
        ASKED.labels(type(answer).__name__.lower()).inc()
        return answer

    async def _publish(self, channel: Channel, part: Part, answer: Answer) -> None:
        report = news(part, answer, account_sid=channel.account_sid, at=datetime.now(UTC))
        if report is not None:
            await self._bus.publish(topology.reports(part.conversation, part.part_id), report, dedupe=True)

    async def _opened(self) -> TwilioState:
        if self._twilio is None:
            # Twilio's client holds 12 MB for as long as the service runs, and where callbacks come nobody asks.
            from parley_status.twilio_state import TwilioState

            self._twilio = TwilioState(timeout_s=self._timeout_s)
            await self._twilio.open()
        return self._twilio
