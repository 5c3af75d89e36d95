"""People who text, and what the status API says of it: how end-to-end tests speak to a running Parley."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from harness.stack import Stack
from harness.waiting import wait_until
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import InboundText, MessageView


@dataclass(frozen=True)
class Person:
    """Somebody with a phone."""

    number: str
    simulator: SimulatorControl

    async def text(self, body: str, within_s: float = 20.0) -> str:
        """Texts the bot; returns the SID once Parley has answered the webhook."""
        sid = (await self.simulator.text(InboundText(sender=self.number, body=body))).sid
        await wait_until(lambda: self._answered(sid), within_s, what=f"an answer to the webhook of {sid}")
        return sid

    async def received(self) -> list[MessageView]:
        """What the bot texted, in the order Twilio accepted it."""
        page = await self.simulator.messages(to=self.number, direction="outbound-api", limit=1_000)
        return list(page.messages)

    async def wait_for(self, count: int, timeout_s: float = 20.0) -> list[MessageView]:
        """The bot's texts once there are so many."""

        async def enough() -> list[MessageView] | None:
            texts = await self.received()
            return texts if len(texts) >= count else None

        found = await wait_until(enough, timeout_s, what=f"{count} texts on the phone")
        assert found is not None
        return found

    async def _answered(self, sid: str) -> bool:
        texts = (await self.simulator.phone(self.number)).texts
        return any(
            text.sid == sid and text.answer is not None and text.answer.value == "answered" for text in texts
        )


@dataclass(frozen=True)
class StatusApi:
    """The status service, asked with its key."""

    http: httpx.AsyncClient

    async def get(self, path: str, **query: str) -> Any:
        """The JSON of a page; fails the test where it is not 200."""
        response = await self.http.get(path, params=query)
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
        return response.json()

    async def conversation(self, contact: str) -> Any:
        """The conversation with this person, None where there is none yet."""
        found = (await self.get("/v1/conversations", contact=contact))["conversations"]
        return await self.get(f"/v1/conversations/{found[0]['id']}") if found else None

    async def outbound(self, contact: str) -> Sequence[Any]:
        """The bot's messages to this person, oldest first."""
        conversation = await self.conversation(contact)
        messages = conversation["messages"] if conversation else []
        return [message for message in messages if message["direction"] == "outbound"]


@asynccontextmanager
async def simulator_of(stack: Stack) -> AsyncIterator[SimulatorControl]:
    """The stack's simulator."""
    async with SimulatorControl(stack.url("simulator")) as control:
        yield control


@asynccontextmanager
async def status_of(stack: Stack) -> AsyncIterator[StatusApi]:
    """The stack's status API."""
    key = stack.environment["PARLEY_API_KEY"]
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=stack.url("status"), headers=headers) as http:
        yield StatusApi(http)
