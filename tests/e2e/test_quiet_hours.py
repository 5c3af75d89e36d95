"""Quiet hours from the environment to the phone: a notification waits, a reply and an operator's text do not."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.conftest import QUICK
from harness.people import Person, simulator_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.events import OutboundMessage, PartFailed, Priority, Reply
from parley_common.identity import Identity

pytestmark = pytest.mark.anyio

TEXTED = "ECHO at this hour?"


def hours(begin_in: timedelta) -> str:
    """Quiet hours of three hours that begin so long from now."""
    start = datetime.now(UTC) + begin_in
    return f"{start:%H:%M}-{start + timedelta(hours=3):%H:%M} UTC"


class Operator:
    """Texts people without a turn."""

    def __init__(self, stack: Stack, bus: Bus) -> None:
        self._number = stack.environment["TWILIO_PHONE_NUMBER"].split(",")[0]
        self._identity = Identity(stack.environment["PARLEY_HASH_KEY"].encode())
        self._bus = bus

    def chain(self, person: Person) -> str:
        """Where the sends of notifications to a person are recorded."""
        return topology.notification_sends(self._identity.conversation("default", person.number))

    async def text(
        self, person: Person, body: str, priority: Priority, *, expires_in: timedelta = timedelta(days=1)
    ) -> None:
        """Writes what is to be texted."""
        now, name = datetime.now(UTC), secrets.token_hex(8)
        conversation = self._identity.conversation("default", person.number)
        message = OutboundMessage(
            id=name,
            at=now,
            channel="default",
            conversation=conversation,
            sender=self._number,
            contact=person.number,
            expires_at=now + expires_in,
            messages=(Reply(id=f"{name}-0", text=body),),
            priority=priority,
        )
        await self._bus.publish(topology.outbound(conversation, priority), message)


async def test_in_quiet_hours_only_what_was_asked_for_is_texted(tmp_path: Path) -> None:
    settings = QUICK | {"PARLEY_QUIET_HOURS": hours(timedelta(hours=-1))}
    async with running_stack(tmp_path / "night", settings=settings) as stack, simulator_of(stack) as simulator:
        notified, late, helped, asking = (Person(f"+1555017{n:04d}", simulator) for n in range(4))
        bus = Bus(Broker(stack.nats_url), name="test-operator")
        await bus.connect()
        operator = Operator(stack, bus)
        await operator.text(notified, "news", Priority.NOTIFICATION)
        await operator.text(late, "old news", Priority.NOTIFICATION, expires_in=timedelta(seconds=2))
        await operator.text(helped, "a person here", Priority.OPERATOR)
        await asking.text(TEXTED)
        await notified.text(TEXTED)
        assert [text.body for text in await helped.wait_for(1)] == ["a person here"]
        assert [text.body for text in await asking.wait_for(1)] == ["at this hour?"]
        assert [text.body for text in await notified.wait_for(1)] == ["at this hour?"]
        await operator.text(notified, "and here", Priority.OPERATOR)
        assert [text.body for text in await notified.wait_for(2)] == ["at this hour?", "and here"]
        stored = await wait_until(lambda: bus.last(operator.chain(late)), 20.0, what="the end of what expired")
        assert stored is not None
        failed = stored.event()
        assert isinstance(failed, PartFailed)
        assert (failed.failure.value, failed.final) == ("expired", True)
        assert await late.received() == []
        assert await bus.last(operator.chain(notified)) is None
        await bus.close()


@pytest.mark.long
async def test_by_day_a_notification_goes_at_once(tmp_path: Path) -> None:
    settings = QUICK | {"PARLEY_QUIET_HOURS": hours(timedelta(hours=4))}
    async with running_stack(tmp_path / "day", settings=settings) as stack, simulator_of(stack) as simulator:
        person = Person("+15550170010", simulator)
        bus = Bus(Broker(stack.nats_url), name="test-operator")
        await bus.connect()
        await Operator(stack, bus).text(person, "news", Priority.NOTIFICATION)
        assert [text.body for text in await person.wait_for(1)] == ["news"]
        await bus.close()
