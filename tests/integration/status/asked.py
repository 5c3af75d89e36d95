"""A running status service beside a Twilio that can be asked, and texts that Twilio has but reports nothing of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from harness.people import StatusApi, simulator_of, status_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_dev.processes import BROKER, DECLARE
from parley_simulator.control import SimulatorControl
from unit.status.samples import CONTACT, CONVERSATION, done, sent

STATUS = "status"


@dataclass
class Asked:
    """The service, its broker, its Twilio."""

    stack: Stack
    bus: Bus
    api: StatusApi
    simulator: SimulatorControl

    async def create(self) -> str:
        """A text that Twilio has and calls nobody back about; returns its SID."""
        environment = self.stack.environment
        account = environment["TWILIO_ACCOUNT_SID"]
        form = {"To": CONTACT, "From": environment["TWILIO_PHONE_NUMBER"], "Body": "Yes, until six."}
        auth = (account, environment["TWILIO_AUTH_TOKEN"])
        url = f"{environment['TWILIO_API_BASE_URL']}/2010-04-01/Accounts/{account}/Messages.json"
        async with httpx.AsyncClient(auth=auth) as http:
            return str((await http.post(url, data=form)).json()["sid"])

    async def tell_sent(self, sid: str) -> None:
        """The reply's only part is with Twilio under this SID."""
        await self.bus.publish(topology.turn_done(CONVERSATION), done(1, 1))
        event = msgspec.structs.replace(sent(sid=sid), of=1, at=datetime.now(UTC))
        await self.bus.publish(topology.sends(CONVERSATION), event)

    async def part(self) -> Any:
        """The reply's part as the API shows it, None where there is none yet."""
        response = await self.api.http.get("/v1/messages/reply")
        parts = response.json()["parts"] if response.status_code == 200 else []
        return parts[0] if parts else None

    async def part_when(self, what: str, **fields: object) -> Any:
        """The part once these fields of it are so."""

        async def there() -> Any:
            part = await self.part()
            return part if part and all(part[name] == value for name, value in fields.items()) else None

        return await wait_until(there, 30.0, what=what)

    async def fetches(self) -> int:
        """How often Twilio was asked for a message."""
        entries = (await self.simulator.log(500)).entries
        return sum("/Messages/" in str(entry) for entry in entries)

    @property
    def output(self) -> str:
        """The log of the service."""
        return self.stack[STATUS].output


@asynccontextmanager
async def running_asked(directory: Path, settings: Mapping[str, str]) -> AsyncIterator[Asked]:
    """All of it, inside the block."""
    names = (BROKER, DECLARE, "simulator", STATUS)
    async with (
        running_stack(directory, names, {"PARLEY_ASK_AFTER_S": "1", **settings}) as stack,
        status_of(stack) as api,
        simulator_of(stack) as simulator,
    ):
        bus = Bus(Broker(stack.nats_url), name="test")
        await bus.connect()
        yield Asked(stack, bus, api, simulator)
        await bus.close()
