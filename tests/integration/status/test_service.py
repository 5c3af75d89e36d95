"""The status service as a process: a real broker before it, a real database behind it, trouble on both sides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from oteltap.oteltap_http_protobuf_receiver import OtelTapHttpProtobufReceiver
from oteltap.oteltap_http_protobuf_receiver_settings import OtelTapHttpProtobufReceiverSettings

from harness.people import StatusApi, status_of
from harness.ports import free_port
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from integration.status.postgres import Postgres
from integration.status.rows import Rows, all_rows
from parley_common import events, topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.declare import declare
from parley_dev.processes import BROKER, DECLARE
from parley_status.database import Database
from parley_status.intake import CONSUMERS
from parley_status.settings import read_settings
from unit.status.samples import CONTACT, CONVERSATION, NUMBER, inbound, letter, report, sent, story

pytestmark = pytest.mark.anyio

STATUS = "status"
ALL = (BROKER, DECLARE, STATUS)


@dataclass(frozen=True)
class World:
    """A running service with its broker, someone who writes events, and its API."""

    stack: Stack
    bus: Bus
    api: StatusApi

    @property
    def database_url(self) -> str:
        """Where the service keeps its rows."""
        return read_settings(self.stack.environment).database_url

    async def message(self, message_id: str) -> Any:
        """A message once the service has folded it."""

        async def found() -> Any:
            response = await self.api.http.get(f"/v1/messages/{message_id}")
            return response.json() if response.status_code == 200 else None

        return await wait_until(found, 20.0, what=f"message {message_id} in the API")

    async def metrics(self) -> str:
        """What Prometheus would read."""
        return (await self.api.http.get("/metrics")).text

    async def problems(self) -> list[str]:
        """What the service says it lacks."""
        return list((await self.api.http.get("/readyz")).json()["problems"])


@asynccontextmanager
async def running_world(directory: Path, settings: dict[str, str]) -> AsyncIterator[World]:
    async with running_stack(directory, ALL, settings) as stack, status_of(stack) as api:
        bus = Bus(Broker(stack.nats_url), name="test")
        await bus.connect()
        yield World(stack, bus, api)
        await bus.close()


@pytest.fixture
async def world(tmp_path: Path, anyio_backend: str) -> AsyncIterator[World]:
    async with running_world(tmp_path, {}) as made:
        yield made


SUBJECTS: dict[type[Any], Callable[[Any], str]] = {
    events.InboundMessage: lambda event: topology.texts(event.conversation),
    events.TurnBegun: lambda event: topology.turn_begun(event.conversation),
    events.TurnDone: lambda event: topology.turn_done(event.conversation),
    events.OutboundMessage: lambda event: topology.outbound(event.conversation, event.priority),
    events.ConversationTaken: lambda event: topology.takeover(event.conversation),
    events.ConversationReleased: lambda event: topology.takeover(event.conversation),
    events.PartAttempted: lambda event: chain_of(event),
    events.PartSent: lambda event: chain_of(event),
    events.PartFailed: lambda event: chain_of(event),
    events.DeliveryReport: lambda event: topology.reports(event.conversation, event.part_id or "unknown"),
    events.ConsentChanged: lambda _event: topology.consent("key"),
    events.DeadLetter: lambda event: topology.dead_letter(event.service),
    events.LetterReplayed: lambda _event: topology.REPLAYED,
}


def chain_of(event: events.SendEvent) -> str:
    chain = topology.operators_sends if event.message_id == "note" else topology.sends
    return chain(event.conversation)


async def tell(bus: Bus) -> None:
    """Publishes the story. A turn names the sequences that its texts got here."""
    places: dict[int, int] = {}
    for recorded in story():
        event = recorded.event
        if isinstance(event, events.TurnDone):
            event = msgspec.structs.replace(event, first=places[event.first], upto=places[event.upto])
        seq = await bus.publish(SUBJECTS[type(event)](event), event)
        if isinstance(event, events.InboundMessage):
            places[recorded.sequence] = seq


async def rows_of(url: str) -> Rows:
    database = Database(url)
    try:
        return await all_rows(database)
    finally:
        database.close()


async def test_what_is_published_is_in_the_api(tmp_path: Path, database_settings: dict[str, str]) -> None:
    async with running_world(tmp_path, database_settings) as world:
        await tell(world.bus)
        await world.message("SMin3")

        async def delivered() -> bool:
            return bool((await world.message("reply"))["state"] == "delivered")

        await wait_until(delivered, what="the reply being delivered")
        page = await world.api.get(f"/v1/conversations/{CONVERSATION}")
        assert [(m["id"], m["state"]) for m in page["messages"]] == [
            ("SMin", "handled"),
            ("SMin2", "handled"),
            ("reply", "delivered"),
            ("SMin3", "received"),
            ("SMlate", "unanswered"),
            ("note", "sent"),
        ]


async def test_a_replay_of_all_streams_into_a_new_database_gives_the_same_rows(
    tmp_path: Path, database_settings: dict[str, str]
) -> None:
    async with running_world(tmp_path / "run", database_settings) as world:
        await tell(world.bus)
        first = await settled_rows(world)
        await world.stack[STATUS].stop()
        for consumer in topology.CONSUMERS:
            await world.bus.js.delete_consumer(consumer.stream, consumer.durable)
        await declare(world.bus.js, topology.Limits())
        new = tmp_path / "new"
        again = world.stack.prepare("status-2", STATUS, {"PARLEY_DATA_DIR": str(new), "PARLEY_DATABASE_URL": ""})
        await again.start()

        async def equal() -> bool:
            return await rows_of(f"sqlite:///{new}/status.db") == first

        await wait_until(equal, 20.0, what="the same rows in the new database")


async def settled_rows(world: World) -> Rows:
    """The rows once every consumer has had all its events."""

    async def nothing_left() -> bool:
        infos = [
            await world.bus.js.consumer_info(c.stream, c.durable)
            for c in topology.CONSUMERS
            if c.durable.startswith("status")
        ]
        return all(info.num_pending == 0 and info.num_ack_pending == 0 for info in infos)

    await wait_until(nothing_left, 20.0, what="every event acked")
    rows = await rows_of(world.database_url)
    assert len(rows["messages"]) == 6
    assert len(rows["delivery_reports"]) == 8
    return rows


@pytest.mark.parametrize(
    ("subject", "stream"),
    [
        (topology.texts(CONVERSATION), topology.CONVERSATIONS),
        (topology.reports(CONVERSATION, "part-0"), topology.REPORTS),
        (topology.consent("key"), topology.CONSENT),
        (topology.dead_letter("agent"), topology.DEAD_LETTERS),
    ],
)
@pytest.mark.parametrize(
    "body",
    [b"my secret \xff\xfe", b'{"type":"Unheard","id":"my secret"}', b"", b"0"],
    ids=["bytes", "type", "empty", "number"],
)
async def test_what_is_no_event_becomes_a_dead_letter_and_holds_up_nothing(
    world: World, subject: str, stream: str, body: bytes
) -> None:
    bad = await world.bus.js.publish(subject, body)
    await world.bus.publish(topology.texts(CONVERSATION), inbound())
    await world.bus.publish(topology.reports(CONVERSATION, "part-0"), report("sent"))
    await world.message("SMin")
    dead = await wait_until(
        lambda: world.bus.last(topology.dead_letter("status")), what="a dead letter of the status service"
    )
    assert dead is not None
    event = dead.event()
    assert isinstance(event, events.DeadLetter)
    assert (event.stream, event.sequence, event.subject) == (stream, bad.seq, subject)
    assert b"secret" not in dead.data
    assert "secret" not in world.stack[STATUS].output
    consumer = next(c for c in topology.CONSUMERS if c.stream == stream and c.durable.startswith("status"))

    async def acked() -> bool:
        info = await world.bus.js.consumer_info(stream, consumer.durable)
        return bool(info.num_ack_pending == 0 and info.num_pending == 0)

    await wait_until(acked, what="the bad message being acked")


async def test_an_event_that_no_row_can_hold_is_buried_alone(world: World) -> None:
    good = [inbound(f"SM{n}", second=n) for n in range(20)]
    for text in good[:10]:
        await world.bus.publish(topology.texts(CONVERSATION), text)
    await world.bus.publish(topology.sends(CONVERSATION), sent(segments=2**70))
    for text in good[10:]:
        await world.bus.publish(topology.texts(CONVERSATION), text)
    for text in good:
        await world.message(text.id)
    dead = await wait_until(lambda: world.bus.last(topology.dead_letter("status")), what="a dead letter")
    assert dead is not None
    assert b"not foldable" in dead.data
    assert 'parley_status_fold_failures_total{cause="unfoldable"} 1.0' in await world.metrics()


async def test_dead_letters_of_others_are_kept(world: World) -> None:
    await world.bus.publish(topology.dead_letter("agent"), letter())

    async def kept() -> bool:
        return bool((await rows_of(world.database_url))["dead_letters"])

    await wait_until(kept, what="the dead letter in the database")


async def test_a_killed_service_goes_on_where_it_was(world: World) -> None:
    async def publish(first: int) -> None:
        for n in range(first, first + 300):
            await world.bus.publish(topology.texts(CONVERSATION), inbound(f"SM{n}", second=n))

    await publish(0)
    world.stack[STATUS].kill()
    await publish(300)
    await world.stack[STATUS].start()
    await world.message("SM599")
    listed: list[str] = []
    query = {"limit": "200"}
    while True:
        page = await world.api.get(f"/v1/conversations/{CONVERSATION}", **query)
        listed = [message["id"] for message in page["messages"]] + listed
        if page["before"] is None:
            break
        query["before"] = page["before"]
    assert set(listed) >= {f"SM{n}" for n in range(300, 600)}
    assert len(listed) == len(set(listed))


async def test_a_broker_that_comes_back_is_read_on(world: World) -> None:
    await world.bus.publish(topology.texts(CONVERSATION), inbound("SMbefore"))
    await world.message("SMbefore")
    world.stack[BROKER].kill()
    await wait_until(world.problems, what="the service not being ready")
    await world.stack[BROKER].start()
    await world.stack[STATUS].ready()
    await wait_until(lambda: world.bus.nc.is_connected, what="the connection of the test")
    await world.bus.publish(topology.texts(CONVERSATION), inbound("SMafter", second=9))
    await world.message("SMafter")


async def test_a_service_that_starts_first_waits_and_says_for_what(tmp_path: Path, anyio_backend: str) -> None:
    stack = Stack(tmp_path)
    status = stack.prepare(STATUS, STATUS, {})
    try:
        status.spawn()
        async with status_of(stack) as api:

            async def says(words: str) -> bool:
                try:
                    answer = await api.http.get("/readyz")
                except httpx.TransportError:
                    return False
                return answer.status_code == 503 and words in answer.text

            await wait_until(lambda: says("waits for the broker"), what="waiting for the broker")
            await stack.start((BROKER,))
            await wait_until(lambda: says("waits for the declare step"), what="waiting for the declare step")
            await stack.start((DECLARE,))
            await status.ready()
    finally:
        await stack.stop()


async def test_consumers_that_vanish_are_declared_again_and_read_on(world: World) -> None:
    await world.bus.publish(topology.texts(CONVERSATION), inbound("SMbefore"))
    await world.message("SMbefore")
    for consumer in CONSUMERS:
        await world.bus.js.delete_consumer(consumer.stream, consumer.durable)
    await world.bus.publish(topology.texts(CONVERSATION), inbound("SMafter", second=9))
    await world.bus.publish(topology.reports(CONVERSATION, "part-0"), report("sent"))
    await world.message("SMafter")

    async def folded() -> bool:
        return 'parley_status_events_folded_total{type="DeliveryReport"} 1.0' in await world.metrics()

    await wait_until(folded, what="the report being folded")
    await world.stack[STATUS].ready()


async def test_a_stream_that_is_gone_is_named_and_never_made_anew(world: World) -> None:
    await world.bus.js.delete_stream(topology.REPORTS)

    async def named() -> bool:
        return any(topology.STATUS_REPORTS in problem for problem in await world.problems())

    await wait_until(named, what="what is missing being named")
    await wait_until(
        lambda: "consumer not declared again" in world.stack[STATUS].output, what="a try to declare it"
    )
    assert await named()
    await declare(world.bus.js, topology.Limits())
    await world.stack[STATUS].ready()


@pytest.mark.parametrize("broker_gone", [False, True], ids=["with its broker", "after its broker"])
async def test_sigterm_ends_the_service_in_order(world: World, broker_gone: bool) -> None:
    if broker_gone:
        world.stack[BROKER].kill()
        await wait_until(world.problems, what="the service not being ready")
    await world.stack[STATUS].stop(8.0)
    assert '"stopped"' in world.stack[STATUS].output
    assert world.stack.tracebacks() == {}


async def test_a_database_that_comes_back_gets_every_event(tmp_path: Path, postgres: Postgres) -> None:
    async with running_world(tmp_path, {"PARLEY_DATABASE_URL": postgres.database_url()}) as world:
        await world.bus.publish(topology.texts(CONVERSATION), inbound("SMbefore"))
        await world.message("SMbefore")
        postgres.stop()
        try:
            await world.bus.publish(topology.texts(CONVERSATION), inbound("SMmeanwhile", second=5))

            async def failed() -> bool:
                return 'fold_failures_total{cause="database"}' in await world.metrics()

            await wait_until(failed, 20.0, what="a fold that failed")
            assert any("database" in problem for problem in await world.problems())
            response = await world.api.http.get("/v1/messages/SMbefore")
            assert (response.status_code, response.json()["error"]["code"]) == (503, "database_unavailable")
        finally:
            postgres.start()
        await world.message("SMmeanwhile")
        assert CONTACT not in world.stack[STATUS].output


async def test_the_trace_of_a_report_ends_in_the_fold(tmp_path: Path, anyio_backend: str) -> None:
    port = free_port()
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    tap = OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port))
    async with tap, running_world(tmp_path, settings) as world:
        parent = TracerProvider().get_tracer("test").start_span("webhook")
        with trace.use_span(parent):
            await world.bus.publish(topology.reports(CONVERSATION, "part-0"), report("delivered"))
        trace_id = trace.format_trace_id(parent.get_span_context().trace_id)
        span = await tap.await_trace(lambda span: span.name == "fold DeliveryReport", timeout=15)
    assert span.trace_id.hex() == trace_id
    assert span.parent_span_id.hex() == trace.format_span_id(parent.get_span_context().span_id)


async def test_neither_log_nor_metrics_hold_numbers_or_texts(world: World) -> None:
    await tell(world.bus)
    await world.message("SMin3")
    told = world.stack[STATUS].output + await world.metrics()
    assert "parley_status_events_folded_total" in told
    for personal in (CONTACT, NUMBER, CONTACT[2:], "library", "until six"):
        assert personal not in told


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"PARLEY_API_KEY": ""}, "PARLEY_API_KEY is not set"), ({"PARLEY_DATABASE_URL": "mysql://x"}, "PostgreSQL")],
    ids=["no key", "another database"],
)
async def test_a_settings_mistake_is_one_sentence(
    tmp_path: Path, anyio_backend: str, settings: dict[str, str], sentence: str
) -> None:
    status = Stack(tmp_path).prepare(STATUS, STATUS, settings)
    status.spawn()
    await wait_until(lambda: not status.is_alive, what="the end of the service")
    assert status.exit_code == 1
    assert sentence in status.output
    assert len(status.output.strip().splitlines()) == 1
