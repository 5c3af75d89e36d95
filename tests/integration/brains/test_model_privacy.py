"""What a turn at a model leaves behind: spans with models and tokens, counters, and nothing that anybody wrote."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from harness.model_replies import Call, calls, refuses, says
from harness.model_server import ModelServer
from harness.model_shop import KEY, Shop
from integration.brains.models import NUMBER, agent_file, brain_at, turn
from parley_brains.brain import BrainFailed, Exchange
from parley_common import tracing

pytestmark = pytest.mark.anyio

SECRETS = (
    "question-text",
    "argument-text",
    "result-text",
    "answer-text",
    "past-text",
    "prompt-text",
    KEY,
    NUMBER[1:],
)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """All spans of the process, whoever makes them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def shown(spans: tuple[ReadableSpan, ...]) -> str:
    return "\n".join(span.to_json() for span in spans)


async def talk(server: ModelServer, shop: Shop) -> None:
    shop.states["argument-text"] = "result-text"
    url = f"{shop.url}/orders/{{number}}"
    headers = {"Authorization": "Bearer ${SHOP_KEY}"}
    tool = {"description": "d", "url": url, "headers": headers, "parameters": {"number": "n"}}
    file = agent_file(tools={"order_status": tool}, llm={"prompt": "prompt-text"})
    server.then(
        calls(Call("order_status", {"number": "argument-text"}), usage=(11, 2)),
        refuses(500, message="question-text"),
        says("answer-text", usage=(13, 3)),
    )
    async with brain_at(
        server, file, settings={"PARLEY_LLM_API_KEY": KEY, "SHOP_KEY": KEY, "PARLEY_MODEL": "span-model"}
    ) as brain:
        with tracing.span("turn"):
            past = [Exchange(text="past-text", answers=("past-text",))]
            answer = await brain.answer(turn("question-text", past=past))
    assert answer.messages[0].text == "answer-text"
    assert "result-text" in str(server.asked[1].tool_results)


async def test_spans_name_models_tokens_and_tools_and_nothing_anybody_wrote(
    server: ModelServer, shop: Shop, ended: InMemorySpanExporter
) -> None:
    await talk(server, shop)
    spans = ended.get_finished_spans()
    names = [span.name for span in spans]
    assert names == ["chat span-model", "execute_tool order_status", *["chat span-model"] * 2, "turn"]
    assert not [secret for secret in SECRETS if secret in shown(spans)]
    assert not [event for span in spans for event in span.events]
    first, tool, failed, last, whole = spans
    assert dict(first.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai_compatible",
        "gen_ai.request.model": "span-model",
        "gen_ai.request.max_tokens": 400,
        "gen_ai.response.model": "span-model",
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.response.finish_reasons": ("tool_call",),
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
    }
    assert dict(tool.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "order_status",
        "gen_ai.tool.type": "function",
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": int(shop.url.rpartition(":")[2]),
    }
    assert not failed.status.is_ok
    assert last.attributes is not None
    assert last.attributes["gen_ai.usage.input_tokens"] == 13
    assert whole.context is not None
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {whole.context.span_id}


async def test_a_tool_and_its_answer_belong_to_the_same_trace(
    server: ModelServer, shop: Shop, ended: InMemorySpanExporter
) -> None:
    await talk(server, shop)
    context = ended.get_finished_spans()[1].context
    assert context is not None
    assert trace.format_span_id(context.span_id) in shop.asked[0].headers["traceparent"]


async def test_logs_hold_nothing_anybody_wrote(server: ModelServer, shop: Shop) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        await talk(server, shop)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    assert not [secret for secret in SECRETS if secret in stream.getvalue()]


def test_no_request_leaves_for_anybody_else() -> None:
    """Instrumentation that would send texts away is off unless somebody turns it on."""
    from pydantic_ai import Agent

    assert not Agent._instrument_default


async def test_tokens_are_counted_by_direction_and_model(server: ModelServer) -> None:
    def counted(direction: str) -> float:
        labels = {"direction": direction, "model": "counted-model"}
        return REGISTRY.get_sample_value("parley_model_tokens_total", labels) or 0.0

    before = counted("input"), counted("output")
    server.then(says("", usage=(5, 1)), says("Hello.", usage=(6, 2)))
    async with brain_at(server, settings={"PARLEY_MODEL": "counted-model"}) as brain:
        await brain.answer(turn())
        server.otherwise = refuses(500)
        with pytest.raises(BrainFailed):
            await brain.answer(turn())
    assert (counted("input") - before[0], counted("output") - before[1]) == (11.0, 3.0)
