"""One trace over all hops: what one writes into headers, the next reads."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from parley_common import tracing

PERSONS_TEXT = "my secret text"


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def named(ended: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in ended.get_finished_spans() if span.name == name]
    return span


def test_the_next_hop_continues_the_trace(ended: InMemorySpanExporter) -> None:
    headers: dict[str, str] = {}
    with tracing.span("first", SpanKind.PRODUCER):
        tracing.inject(headers)
    with tracing.span("second", SpanKind.CONSUMER, parent=tracing.extract(headers)):
        pass
    first, second = named(ended, "first"), named(ended, "second")
    assert set(headers) == {"traceparent"}
    assert second.parent is not None
    assert first.context is not None
    assert second.parent.span_id == first.context.span_id


def test_other_causes_are_linked(ended: InMemorySpanExporter) -> None:
    headers: dict[str, str] = {}
    with tracing.span("cause"):
        tracing.inject(headers)
    with tracing.span("effect", links=(tracing.link(headers),)):
        pass
    cause, effect = named(ended, "cause"), named(ended, "effect")
    assert cause.context is not None
    assert [link.context.span_id for link in effect.links] == [cause.context.span_id]


def test_headers_without_a_trace_begin_a_new_one(ended: InMemorySpanExporter) -> None:
    with tracing.span("alone", parent=tracing.extract({"content-type": "application/json"})):
        pass
    assert named(ended, "alone").parent is None


def test_outside_of_a_span_nothing_is_written_into_headers() -> None:
    headers: dict[str, str] = {}
    tracing.inject(headers)
    assert headers == {}


def test_a_failed_span_names_the_kind_of_error_and_not_what_it_says(ended: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match=PERSONS_TEXT), tracing.span("turn"):
        raise ValueError(PERSONS_TEXT)
    span = named(ended, "turn")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError"
    assert PERSONS_TEXT not in span.to_json()


def test_without_a_receiver_no_span_leaves_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = provider_for({}, monkeypatch)
    assert provider.resource.attributes["service.name"] == "parley-agent"
    assert not provider._active_span_processor._span_processors


@pytest.mark.parametrize(
    ("environment", "exporters"),
    [
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, 1, id="a receiver"),
        pytest.param({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9"}, 1, id="one for traces"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
            0,
            id="turned off",
        ),
    ],
)
def test_spans_leave_the_process_where_a_receiver_is_named(
    environment: dict[str, str], exporters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_for(environment, monkeypatch)
    assert len(provider._active_span_processor._span_processors) == exporters


def provider_for(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """What would become the process's provider, which can be set only once."""
    set_to: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", set_to.append)
    tracing.start_tracing("agent", environment)
    set_to[0].shutdown()
    return set_to[0]
