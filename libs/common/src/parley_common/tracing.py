"""One trace over all hops: W3C trace context in headers and URLs, spans out by OTLP.

Spans leave the process where the standard ``OTEL_*`` variables name a receiver; without one they only give the
logs their trace ids.
No attribute here or at a caller holds a number, a text or a secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode

_tracer = trace.get_tracer("parley")

_EXPORT_TIMEOUT_MS = "3000"
_RECEIVER_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def start_tracing(service: str, environment: Mapping[str, str] = os.environ) -> None:
    """Begins to trace, and sends the spans to the OTLP receiver of the environment if one is named there."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"parley-{service}"}))
    wanted = environment.get("OTEL_TRACES_EXPORTER") != "none"
    if wanted and any(environment.get(name) for name in _RECEIVER_VARIABLES):
        # At the end of the process the last spans may take this long, and no retry makes them take longer.
        seconds = float(environment.get("OTEL_EXPORTER_OTLP_TIMEOUT", _EXPORT_TIMEOUT_MS)) / 1_000
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=seconds)))
    trace.set_tracer_provider(provider)


def stop_tracing() -> None:
    """Sends what is still buffered."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def inject(headers: dict[str, str]) -> None:
    """Writes the current trace context into headers."""
    propagate.inject(headers)


def extract(headers: Mapping[str, str]) -> Context:
    """The trace context that headers (or the query of a callback) carry."""
    return propagate.extract(headers)


def link(headers: Mapping[str, str]) -> Link:
    """A link to the span that headers carry, for work with several causes."""
    return Link(trace.get_current_span(extract(headers)).get_span_context())


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: Context | None = None,
    links: tuple[Link, ...] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """A span around a block. An exception marks it as failed by its type; its message stays out of the span."""
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        links=links,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
