"""What the status service does beside answering HTTP: schema first, then events until it is told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from parley_common.background import Background
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.dead_letters import count_letters
from parley_common.declare import declare_again, wait_declared
from parley_common.hash_key import wait_same_hash_key
from parley_common.lag import Lag
from parley_common.leases import Leases
from parley_common.metrics import show_broker
from parley_common.service import end_process
from parley_common.shared_settings import Common
from parley_common.topology import Consumer
from parley_status.database import Database, is_trouble
from parley_status.intake import CONSUMERS, DURABLES, Intake
from parley_status.polling import Polling
from parley_status.replay import Replays
from parley_status.settings import Settings

_CHECK_TIMEOUT_S = 1.0
_LOOK_EVERY_S = 2.0
_FOR_INTAKE = 0.7
"""The share of the grace period in which the batch at hand must end."""
_LEAST_S = 0.1

log = structlog.get_logger(__name__)


class StatusWork:
    """Keeps the database up to date with the streams."""

    def __init__(self, common: Common, database: Database, settings: Settings) -> None:
        self._bus = Bus(common.broker, name="parley-status", lost=end_process)
        self._hash_key = common.hash_key
        self._database = database
        self._intake = Intake(common.broker, self._bus, database)
        self._replays = Replays(self._bus, database)
        self._leases = Leases(self._bus, settings.limits)
        self._asking = settings.asking
        self._lag = Lag(self._bus, DURABLES)
        self._background = Background()
        count_letters("status")
        show_broker(lambda: self._bus.nc.is_connected)
        self._waits_for: str | None = "the database"

    async def start(self) -> None:
        """Waits for the database, the broker and the declare step, then begins to fold."""
        await self._database.migrate_when_possible()
        self._waits_for = "the broker"
        await self._bus.connect()
        self._waits_for = "the declare step"
        await wait_declared(self._bus.js, frozenset(DURABLES))
        await wait_same_hash_key(self._bus, self._hash_key)
        await self._intake.start()
        await self._replays.listen()
        self._background.start("declaring consumers again", self._keep_declared())
        self._background.start("looking at the lag", self._lag.keep_looking())
        await self._start_asking()
        self._waits_for = None
        log.info("folding")

    async def stop(self, grace_s: float) -> None:
        """Ends the batch at hand and disconnects, all within ``grace_s``."""
        until_s = time.monotonic() + grace_s
        await self._background.stop()
        await self._intake.stop(max(_LEAST_S, (until_s - time.monotonic()) * _FOR_INTAKE))
        if self._asking is not None:
            await self._leases.end()
        await self._bus.close()
        await asyncio.to_thread(self._database.close, max(0.0, until_s - time.monotonic() - _CHECK_TIMEOUT_S))

    async def problems(self) -> Sequence[str]:
        """What is missing: the start, the broker, a consumer, the database, a task that has ended."""
        if (refused := self._bus.refused or self._intake.deaf) is not None:
            return [refused]
        if self._waits_for is not None:
            return [f"not started: waits for {self._waits_for}"]
        checks = [self._check_database(), *(self._check_consumer(consumer) for consumer in CONSUMERS)]
        told = [self._intake.problem, *await asyncio.gather(*checks)]
        found = [problem for problem in told if problem is not None]
        return [*found, *self._background.problems()]

    async def _start_asking(self) -> None:
        if self._asking is None:
            log.info("Twilio is not asked for missing final states: TWILIO_ACCOUNT_SID is not set")
            return
        await self._leases.renew()
        polling = Polling(self._bus, self._leases, self._database, self._asking)
        self._background.start("keeping the session of leases", self._leases.keep_alive())
        self._background.start("asking Twilio", polling.keep_asking())

    async def _keep_declared(self) -> None:
        while True:
            await declare_again(self._bus.js, frozenset(DURABLES))
            await asyncio.sleep(_LOOK_EVERY_S)

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
