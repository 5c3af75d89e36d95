"""One trace over all hops, received as OTLP from five processes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from harness.people import Person, simulator_of
from harness.ports import free_port
from harness.stack import running_stack
from harness.waiting import wait_until

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "message-path.md"


def documented() -> list[str]:
    """The names of the spans of ``docs/message-path.md`` in their order."""
    rows: list[str] = re.findall(r"^\| `([^`]+)` \| \w+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 4
    return rows


def chains(spans: list[Span]) -> list[list[str]]:
    """For every span without children, the names from its root down to it."""
    by_id = {span.span_id: span for span in spans}
    parents = {span.parent_span_id for span in spans}
    found = []
    for leaf in (span for span in spans if span.span_id not in parents):
        chain = [leaf]
        while chain[-1].parent_span_id in by_id:
            chain.append(by_id[chain[-1].parent_span_id])
        if not chain[-1].parent_span_id and len({span.trace_id for span in chain}) == 1:
            found.append([span.name for span in reversed(chain)])
    return found


async def collect(receiver: OtelTapHttpProtobufReceiver, spans: list[Span]) -> None:
    """Adds every span to the list as it arrives."""
    async for span in receiver.stream_traces():
        spans.append(span)  # noqa: PERF401 - it never ends


async def test_one_trace_leads_from_the_webhook_to_delivered(tmp_path: Path) -> None:
    port = free_port()
    spans: list[Span] = []
    receiver = OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(http_port=port))
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "PARLEY_GATHER_S": "0",
    }
    await receiver.start()
    collecting = asyncio.create_task(collect(receiver, spans))
    try:
        async with running_stack(tmp_path, settings=settings) as stack, simulator_of(stack) as simulator:
            person = Person("+15550160999", simulator)
            await person.text("ECHO follow me")
            await person.wait_for(1)
            wanted = documented()
            await wait_until(lambda: wanted in chains(spans), 20.0, what=f"a trace of {wanted}")
    finally:
        collecting.cancel()
        await receiver.stop()
    everything = " ".join(str(span) for span in spans)
    assert "5550160999" not in everything
    assert "follow me" not in everything
