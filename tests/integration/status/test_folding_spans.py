"""The spans of folds: one for each report that is in the database, whatever the attempts before came to."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from harness.stack import Stack
from harness.waiting import wait_until
from integration.common.connections import connected
from parley_common import topology, tracing
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.events import DeliveryReport
from parley_status.database import Database
from parley_status.endings import COUNTED_FOR
from parley_status.intake import Intake
from unit.status.samples import CONVERSATION, report

pytestmark = pytest.mark.anyio

NAME = "fold DeliveryReport"


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


@pytest.fixture
async def bus(broker: Stack) -> AsyncIterator[Bus]:
    async with connected(broker) as bus:
        yield bus


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "status.db"


@asynccontextmanager
async def intake(broker: Stack, bus: Bus, database: Database) -> AsyncIterator[None]:
    """Folds for as long as the block runs."""
    running = Intake(Broker(broker.nats_url), bus, database)
    await running.start()
    try:
        yield
    finally:
        await running.stop(5.0)
        database.close(5.0)


async def write(bus: Bus, *reports: DeliveryReport) -> None:
    """Writes reports as webhooks do, each traced."""
    for one in reports:
        with tracing.span("webhook status"):
            await bus.publish(topology.reports(CONVERSATION, one.part_id or "unknown"), one)


def folds(ended: InMemorySpanExporter) -> dict[str, str | None]:
    """By the id of the report what its fold failed at. Each has one span."""
    spans = _named(ended)
    told = {_of(span, "messaging.message.id") or "": _of(span, "error.type") for span in spans}
    assert len(told) == len(spans)
    return told


def _named(ended: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    return [span for span in ended.get_finished_spans() if span.name == NAME]


def _of(span: ReadableSpan, attribute: str) -> str | None:
    value = (span.attributes or {}).get(attribute)
    return None if value is None else str(value)


def put_off() -> float:
    return REGISTRY.get_sample_value("parley_status_fold_failures_total", {"cause": "database"}) or 0.0


def young(status: str, part: int, error_code: int | None = None) -> DeliveryReport:
    return report(status, part=part, at=datetime.now(UTC), error_code=error_code)


async def test_a_database_that_is_away_fails_no_report(
    broker: Stack, bus: Bus, file: Path, ended: InMemorySpanExporter
) -> None:
    reports = [young("sent", 0), young("delivered", 1)]
    database, before = Database(f"sqlite:///{file}"), put_off()  # it has no tables yet
    await write(bus, *reports)
    async with intake(broker, bus, database):
        await wait_until(lambda: put_off() > before, what="a batch that was put off")
        assert folds(ended) == {}
        await database.migrate()
        await wait_until(lambda: len(folds(ended)) == len(reports), 20.0, what="the folds")
    assert folds(ended) == {one.id: None for one in reports}


async def test_what_a_report_says_of_the_text_is_a_failure_while_it_is_news(
    broker: Stack, bus: Bus, file: Path, ended: InMemorySpanExporter
) -> None:
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    fresh = young("undelivered", 0, error_code=30005)
    old = report("failed", part=1, error_code=30008, at=datetime.now(UTC) - COUNTED_FOR - timedelta(minutes=1))
    await write(bus, fresh, old)
    async with intake(broker, bus, database):
        await wait_until(lambda: len(folds(ended)) == 2, what="the folds")
    assert folds(ended) == {fresh.id: "30005", old.id: None}


async def test_of_a_batch_that_is_refused_only_the_report_to_blame_fails(
    broker: Stack, bus: Bus, file: Path, ended: InMemorySpanExporter
) -> None:
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    good = [young("sent", part) for part in range(7)]
    bad = young("sent", 7, error_code=2**70)
    await write(bus, *good[:3], bad, *good[3:])
    async with intake(broker, bus, database):
        await wait_until(lambda: len(folds(ended)) == len(good) + 1, what="the folds")
    assert folds(ended) == {bad.id: "OverflowError", **{one.id: None for one in good}}
    assert [span.name for span in ended.get_finished_spans()].count("dead letter") == 1


async def test_a_span_begins_when_its_transaction_did(
    broker: Stack, bus: Bus, file: Path, ended: InMemorySpanExporter
) -> None:
    database = Database(f"sqlite:///{file}")
    await database.migrate()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await write(bus, young("sent", 0))
    async with intake(broker, bus, database):

        async def is_taken() -> bool:
            info = await bus.js.consumer_info(topology.REPORTS, topology.STATUS_REPORTS)
            return bool(info.num_ack_pending == 1)

        await wait_until(is_taken, what="the report being taken")
        await asyncio.sleep(0.5)
        free_ns = time.time_ns()
        other.rollback()
        await wait_until(lambda: folds(ended), what="the fold")
    other.close()
    (span,) = _named(ended)
    assert span.start_time is not None
    assert span.start_time < free_ns
