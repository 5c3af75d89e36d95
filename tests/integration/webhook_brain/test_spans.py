"""What a trace and the log tell of a bot that is asked."""

import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from harness.bot_server import SECRET, BotServer, fails
from integration.webhook_brain.asking import NUMBER, PERSON, a_turn, asking, failure
from parley_common import tracing

pytestmark = pytest.mark.anyio


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def asked(ended: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in ended.get_finished_spans() if span.name == "brain webhook"]


async def test_the_bot_continues_the_trace_of_the_turn(bot: BotServer, ended: InMemorySpanExporter) -> None:
    with tracing.span("turn") as turn:
        async with asking(bot.url) as brain:
            await brain.answer(a_turn())
    (span,) = asked(ended)
    assert span.context is not None
    assert span.parent is not None
    assert span.parent.span_id == turn.get_span_context().span_id
    version, trace_id, span_id, _flags = bot.requests[0].headers["traceparent"].split("-")
    assert (version, trace_id) == ("00", format_trace_id(turn.get_span_context().trace_id))
    assert span_id == format_span_id(span.context.span_id)


async def test_a_span_says_where_and_how_it_went(bot: BotServer, ended: InMemorySpanExporter) -> None:
    async with asking(bot.url) as brain:
        await brain.answer(a_turn())
    (span,) = asked(ended)
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": int(bot.origin.rpartition(":")[2]),
        "http.response.status_code": 200,
    }


async def test_every_request_of_a_turn_has_its_span(bot: BotServer, ended: InMemorySpanExporter) -> None:
    bot.script.extend([fails(503), fails(400)])
    await failure(bot)
    first, second = asked(ended)
    assert [span.status.status_code for span in (first, second)] == [StatusCode.ERROR] * 2
    told = [dict(span.attributes or {}) for span in (first, second)]
    assert [one["error.type"] for one in told] == ["503", "400"]
    assert [one.get("http.request.resend_count") for one in told] == [None, 1]


async def test_no_span_holds_a_person_a_text_or_a_secret(bot: BotServer, ended: InMemorySpanExporter) -> None:
    environment = {"PARLEY_WEBHOOK_SECRET": SECRET, "KEY": "sesame"}
    bot.script.append(fails(503))
    url = f"{bot.url}?key=${{KEY}}"
    async with asking(url, environment=environment, headers={"X-Key": "${KEY}"}) as brain:
        await brain.answer(a_turn("my secret question"))
    told = " ".join(span.to_json() for span in ended.get_finished_spans())
    assert len(asked(ended)) == 2
    assert not any(word in told for word in (PERSON, NUMBER, "secret question", SECRET, "sesame"))


async def test_no_log_line_holds_the_bots_address_with_its_keys(
    bot: BotServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.NOTSET)
    async with asking(f"{bot.url}?key=sesame") as brain:
        await brain.answer(a_turn())
    assert bot.requests[0].path == "/turns?key=sesame"
    assert "sesame" not in caplog.text
