"""The whole path with the chart's users: all that Parley does is permitted, the broker refuses nothing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chart.nats_release import Nats, embedded, running_nats
from chart.nats_stack import UserStack, user_stack
from harness.people import Person, simulator_of, status_of
from harness.stack import HASH_KEY
from harness.waiting import wait_until
from parley_common import topology
from parley_common.identity import Identity
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import Attachment, InboundText

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

CONTACT = "+15550107001"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
STORED = "a text that cannot be read"


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Nats]:
    async with running_nats(tmp_path_factory.mktemp("nats")) as nats:
        yield nats


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, nats: Nats) -> AsyncIterator[UserStack]:
    async with user_stack(tmp_path_factory.mktemp("stack"), nats) as stack:
        yield stack


@pytest.fixture
async def simulator(stack: UserStack) -> AsyncIterator[SimulatorControl]:
    async with simulator_of(stack) as control:
        yield control


def refusals(nats: Nats, stack: UserStack | None = None) -> list[str]:
    """What the servers, or a service, say of a subject that is not permitted."""
    logs = nats.log + "".join(one.output for one in (stack.running if stack else ()))
    return [line for line in logs.splitlines() if "violation" in line.lower() or "does not permit" in line]


@pytest.fixture(autouse=True)
async def nothing_is_refused(nats: Nats, stack: UserStack) -> AsyncIterator[None]:
    yield
    assert refusals(nats, stack) == []


async def test_a_text_is_answered_and_its_delivery_known(stack: UserStack, simulator: SimulatorControl) -> None:
    person = Person(CONTACT, simulator)
    await person.text("HOURS")
    await person.wait_for(1)
    async with status_of(stack) as api:

        async def delivered() -> bool:
            found = await api.outbound(CONTACT)
            return bool(found) and found[0]["state"] == "delivered"

        await wait_until(delivered, 20.0, what="the delivery")


async def test_pictures_are_kept_and_a_stop_is_recorded(
    nats: Nats, stack: UserStack, simulator: SimulatorControl
) -> None:
    person = Person("+15550107002", simulator)
    await simulator.text(
        InboundText(sender=person.number, body="look", media=(Attachment(content_type="image/png", data=PNG),))
    )
    await person.wait_for(1)
    await person.text("please stop texting me")
    await person.text("STOP")
    async with nats.bus("operator") as bus:

        async def recorded() -> bool:
            found = [await bus.js.stream_info(stream) for stream in (topology.MEDIA_STREAM, topology.CONSENT)]
            return all(info.state.messages > 0 for info in found)

        await wait_until(recorded, 20.0, what="the picture and the STOP")


async def test_two_of_each_worker_share_the_work(
    nats: Nats, stack: UserStack, simulator: SimulatorControl
) -> None:
    """Doorbells go from one egress to the other, under a subject of their own."""
    for service in ("agent", "egress"):
        await stack.add_replica(service, nats.settings(service))
    people = [Person(f"+1555010{number}", simulator) for number in range(7010, 7030)]
    for person in people:
        await person.text("HOURS")
    for person in people:
        await person.wait_for(1)


async def test_what_is_lost_is_declared_again(nats: Nats, stack: UserStack, simulator: SimulatorControl) -> None:
    """Consumers by whoever reads them, the leases by whoever needs one: a restarted broker has forgotten those."""
    async with nats.bus("operator") as bus:
        for consumer in topology.CONSUMERS:
            await bus.js.delete_consumer(consumer.stream, consumer.durable)

        async def all_there() -> bool:
            found = [
                await bus.js.consumers_info(stream) for stream in sorted({c.stream for c in topology.CONSUMERS})
            ]
            names = {info.name for infos in found for info in infos}
            return {consumer.durable for consumer in topology.CONSUMERS} <= names

        await wait_until(all_there, 20.0, what="the consumers")
        await bus.js.delete_stream(topology.LEASES)

        async def leases() -> bool:
            return topology.LEASES in {info.config.name for info in await bus.js.streams_info()}

        await wait_until(leases, 20.0, what="the stream of leases")
    person = Person("+15550107003", simulator)
    await person.text("HOURS")
    await person.wait_for(1)


async def test_what_cannot_be_read_is_buried_and_the_operator_may_replay_it(nats: Nats, stack: UserStack) -> None:
    conversation = Identity(HASH_KEY.encode()).conversation("default", "+15550107004")
    async with nats.bus("ingress") as bus:
        await bus.js.publish(topology.texts(conversation), STORED.encode())
    async with nats.bus("operator") as bus:
        for service in ("agent", "status"):

            async def buried(subject: str = topology.dead_letter(service)) -> bool:
                return await bus.last(subject) is not None

            await wait_until(buried, 20.0, what=f"the letter of {service}")
    listed = await stack.parley("dead-letters", "list")
    assert (listed.code, listed.err) == (0, "")
    assert (await stack.parley("dead-letters", "replay", "--all")).code == 1, "neither can be read after all"


async def test_each_command_of_the_operator_is_permitted(
    nats: Nats, stack: UserStack, simulator: SimulatorControl
) -> None:
    person = Person("+15550107005", simulator)
    await person.text("HOURS")
    await person.wait_for(1)
    for arguments in (
        ("pause", "--reason", "a test"),
        ("switches",),
        ("resume", "--reason", "a test"),
        ("take", person.number),
        ("hand-back", person.number),
    ):
        ended = await stack.parley(*arguments)
        assert (ended.code, ended.err) == (0, ""), f"{arguments}: {ended}"
    asked = await stack.parley("backfill", "--since", "1h")
    assert (asked.err, "Twilio has" in asked.out) == ("", True), "ingress answers, though some texts are too young"


@pytest.mark.long
async def test_a_backup_goes_into_another_release_whose_declare_step_ran(
    nats: Nats, stack: UserStack, tmp_path: Path
) -> None:
    """From one server to three, the way the chart asks for."""
    saved = await stack.parley("backup", str(tmp_path / "backup"))
    assert (saved.code, saved.err) == (0, "")
    async with running_nats(tmp_path / "new", embedded(replicas=3)) as new:
        second = UserStack(tmp_path / "second", new)
        try:
            await second.start(("declare",))
            ended = await stack.parley("restore", str(tmp_path / "backup"), nats=new)
            assert (ended.code, ended.err) == (0, "")
            async with new.bus("operator") as bus:
                state = (await bus.js.stream_info(topology.CONVERSATIONS)).state
            assert state.messages > 0
        finally:
            second.kill()
        assert refusals(new) == []
