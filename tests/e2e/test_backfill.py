"""Promises P9 and P2 over the whole stack: what no webhook told of is found in Twilio's log and answered, once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.conftest import QUICK
from harness.people import Person, StatusApi, simulator_of, status_of
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import requests, topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.events import InboundMessage
from parley_common.identity import Identity
from parley_common.requests import BackfillAnswer, BackfillRequest
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import Attachment, InboundText
from parley_simulator.faults import Fault, Match, Place, Rule
from parley_simulator.messages import Answer

pytestmark = pytest.mark.anyio

SOON = QUICK | {"PARLEY_BACKFILL_EVERY_S": "0.5", "PARLEY_BACKFILL_AFTER_S": "1"}
ON_REQUEST = QUICK | {"PARLEY_BACKFILL_EVERY_S": "0", "PARLEY_BACKFILL_AFTER_S": "0"}

_numbers = itertools.count(1)

Somebody = Callable[[], Person]


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """Everything, with an ingress that soon looks into Twilio's log."""
    async with running_stack(tmp_path_factory.mktemp("backfill"), settings=SOON) as running:
        yield running
        assert leaks(running, ["is lost", "while you slept"]) == []


@pytest.fixture
async def simulator(stack: Stack) -> AsyncIterator[SimulatorControl]:
    async with simulator_of(stack) as control:
        yield control
        await control.clear_faults()


@pytest.fixture
async def status(stack: Stack) -> AsyncIterator[StatusApi]:
    async with status_of(stack) as api:
        yield api


@pytest.fixture
def somebody(simulator: SimulatorControl) -> Somebody:
    return lambda: Person(f"+1555019{next(_numbers):04d}", simulator)


async def text_in_vain(person: Person, body: str, *media: Attachment) -> str:
    """Texts the bot while webhooks do not get through; returns the SID when Twilio has given up."""
    sid = (await person.simulator.text(InboundText(sender=person.number, body=body, media=media))).sid

    async def given_up() -> bool:
        texts = (await person.simulator.phone(person.number)).texts
        return any(text.sid == sid and text.answer is Answer.FAILED for text in texts)

    await wait_until(given_up, 25.0, what="Twilio giving up the webhook")
    return sid


async def drop_webhooks_of(person: Person) -> None:
    await person.simulator.add_fault(
        Rule(where=Place.WEBHOOK, what=Fault.DROP_WEBHOOK, match=Match(sender=person.number))
    )


async def stored_texts(stack: Stack, person: Person) -> list[InboundMessage]:
    bus = Bus(Broker(stack.nats_url), name="test")
    await bus.connect()
    identity = Identity(stack.environment["PARLEY_HASH_KEY"].encode())
    subject, found, seq = topology.texts(identity.conversation("default", person.number)), [], 1
    while (stored := await bus.next(subject, seq=seq)) is not None:
        found.append(stored.event())
        seq = stored.seq + 1
    await bus.close()
    return [event for event in found if isinstance(event, InboundMessage)]


async def ask(stack: Stack, request: BackfillRequest) -> BackfillAnswer:
    bus = Bus(Broker(stack.nats_url), name="operator")
    await bus.connect()
    answer = await bus.nc.request(requests.BACKFILL, requests.encode(request), timeout=20)
    await bus.close()
    return requests.decode(answer.data, BackfillAnswer)


async def test_a_text_whose_webhook_never_came_is_answered_once(stack: Stack, somebody: Somebody) -> None:
    person = somebody()
    await person.text("ECHO before")
    await person.wait_for(1)
    await drop_webhooks_of(person)
    await text_in_vain(person, "ECHO is lost")
    await person.wait_for(2)
    await person.simulator.clear_faults()
    await person.text("ECHO after")
    assert [text.body for text in await person.wait_for(3)] == ["before", "is lost", "after"]
    assert [text.backfilled for text in await stored_texts(stack, person)] == [False, True, False]


async def test_texts_sent_while_ingress_was_down_are_answered_once_each(stack: Stack, somebody: Somebody) -> None:
    people = [somebody() for _ in range(5)]
    stack["ingress"].kill()
    for person in people:
        await text_in_vain(person, "ECHO while you slept")
    await stack["ingress"].start()
    for person in people:
        await person.wait_for(1, 30.0)
    for person in people:
        await person.text("ECHO awake?")
        assert [text.body for text in await person.wait_for(2)] == ["while you slept", "awake?"]


async def test_a_picture_that_was_missed_comes_with_its_address(stack: Stack, somebody: Somebody) -> None:
    person = somebody()
    await drop_webhooks_of(person)
    sid = await text_in_vain(person, "ECHO look", Attachment(content_type="image/png", data=b"\x89PNG"))
    await person.wait_for(1)
    (text,) = await stored_texts(stack, person)
    (medium,) = text.media
    account = stack.environment["TWILIO_ACCOUNT_SID"]
    assert medium.content_type == "image/png"
    assert medium.url.startswith(f"{stack.url('simulator')}/2010-04-01/Accounts/{account}/Messages/{sid}/Media/ME")
    assert not medium.url.endswith(".json")


async def test_a_stop_that_was_missed_is_recorded(somebody: Somebody, status: StatusApi) -> None:
    person = somebody()
    await person.text("ECHO hello")
    await person.wait_for(1)
    await drop_webhooks_of(person)
    await text_in_vain(person, "STOP")

    async def opted_out() -> bool:
        conversation = await status.conversation(person.number)
        return bool(conversation and conversation["opted_out"])

    await wait_until(opted_out, 20.0, what="the opt-out")
    assert [text.body for text in await person.received()] == ["hello"]


async def test_p9_a_period_asked_for_twice_and_a_late_redelivery_bring_in_nothing_twice(tmp_path: Path) -> None:
    async with running_stack(tmp_path, settings=ON_REQUEST) as stack, simulator_of(stack) as simulator:
        person = Person("+15550199999", simulator)
        await drop_webhooks_of(person)
        sids = [await text_in_vain(person, f"ECHO {n}") for n in range(3)]
        await simulator.clear_faults()
        now = datetime.now(UTC)
        request = BackfillRequest(since=now - timedelta(hours=1), until=now)
        assert await ask(stack, request) == BackfillAnswer(found=3, brought_in=3)
        await person.wait_for(3)
        assert await ask(stack, request) == BackfillAnswer(found=3, known=3)
        for sid in sids:
            await simulator.redeliver(sid)
        await wait_until(
            lambda: all(stack["ingress"].output.count(f'"sid": "{sid}"') >= 2 for sid in sids),
            what="the late webhooks answered",
        )
        await person.text("ECHO at last")
        assert [text.body for text in await person.wait_for(4)] == ["0", "1", "2", "at last"]
        assert [text.id for text in await stored_texts(stack, person)][:3] == sids
