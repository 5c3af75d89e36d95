"""What the status service does beside answering HTTP: schema first, then events until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.declare import wait_declared
from parley_common.topology import Consumer
from parley_status.database import Database, is_trouble
from parley_status.intake import CONSUMERS, DURABLES, Intake

_RETRY_S = 1.0
_CHECK_TIMEOUT_S = 1.0

log = structlog.get_logger(__name__)


class StatusWork:
    """Keeps the database up to date with the streams."""

    def __init__(self, nats_url: str, database: Database, *, grace_s: float) -> None:
        self._bus = Bus(nats_url, name="parley-status")
        self._database = database
        self._intake = Intake(nats_url, self._bus, database, grace_s=grace_s)
        self._waits_for: str | None = "the database"

    async def start(self) -> None:
        """Waits for the database, the broker and the declare step, then begins to fold."""
        await self._migrate()
        self._waits_for = "the broker"
        await self._bus.connect()
        self._waits_for = "the declare step"
        await wait_declared(self._bus.js, frozenset(DURABLES))
        await self._intake.start()
        self._waits_for = None
        log.info("folding")

    async def stop(self, grace_s: float) -> None:
        """Ends the batch at hand and disconnects."""
        await self._intake.stop()
        await self._bus.close()
        await asyncio.to_thread(self._database.close)

    async def problems(self) -> Sequence[str]:
        """What is missing: the start, the broker, a consumer, the database."""
        if self._waits_for is not None:
            return [f"not started: waits for {self._waits_for}"]
        checks = [self._check_database(), *(self._check_consumer(consumer) for consumer in CONSUMERS)]
        return [problem for problem in await asyncio.gather(*checks) if problem is not None]

    async def _migrate(self) -> None:
        while True:
            try:
                await self._database.migrate()
            except Exception as error:
                if not is_trouble(error):
                    raise
                log.warning("waiting for the database", error=type(error).__name__)
            else:
                return
            await asyncio.sleep(_RETRY_S)

    async def _check_database(self) -> str | None:
        try:
            await asyncio.wait_for(self._database.check(), _CHECK_TIMEOUT_S)
        except Exception as error:
            if isinstance(error, TimeoutError) or is_trouble(error):
                return f"the database does not answer: {type(error).__name__}"
            raise
        return None

    async def _check_consumer(self, consumer: Consumer) -> str | None:
        if not self._bus.nc.is_connected:
            return "the broker is not connected"
        try:
            await self._bus.js.consumer_info(consumer.stream, consumer.durable, timeout=_CHECK_TIMEOUT_S)
        except BROKER_TROUBLE as error:
            return f"consumer {consumer.durable} does not answer: {type(error).__name__}"
        return None
