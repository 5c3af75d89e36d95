"""One trace over all hops: W3C trace context in headers and URLs, spans out by OTLP.

Spans leave the process where the standard ``OTEL_*`` variables name a receiver; without one they only give the
logs their trace ids. Every span and its attributes stand in ``docs/telemetry.md``.
No attribute here or at a caller holds a number, a text or a secret.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode

from parley_common.settings import read_flag, read_number
from parley_common.tracing_failures import Failures
from parley_common.tracing_sampler import LinkedAlike

SAME_TRACE = timedelta(minutes=10)
"""What begins later than this after its cause is a trace of its own, linked to that of the cause."""

ROOT = Context()
"""The parent of a span that begins a trace, whatever goes on around it."""

KEEP_FAILURES = "PARLEY_TRACE_FAILURES"

_tracer = trace.get_tracer("parley")

_EXPORT_TIMEOUT_MS = 3_000.0
_RECEIVER_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Where a span belongs: below its cause, or in a trace of its own with a link to it.

    ``parent``: None for whatever span is current.
    """

    parent: Context | None
    links: tuple[Link, ...] = ()


def start_tracing(service: str, environment: Mapping[str, str] = os.environ) -> None:
    """Begins to trace, and sends the spans to the OTLP receiver of the environment if one is named there.

    Raises ``SettingsError``.
    """
    keeps_failures = read_flag(environment, KEEP_FAILURES, default=True)
    provider = TracerProvider(resource=_resource(service))
    wanted = environment.get("OTEL_TRACES_EXPORTER") != "none"
    exports = wanted and any(environment.get(name) for name in _RECEIVER_VARIABLES)
    provider.sampler = LinkedAlike(provider.sampler, records_all=exports and keeps_failures)
    if exports:
        # At the end of the process the last spans may take this long, and no retry makes them take longer.
        seconds = read_number(environment, "OTEL_EXPORTER_OTLP_TIMEOUT", _EXPORT_TIMEOUT_MS) / 1_000
        out = BatchSpanProcessor(OTLPSpanExporter(timeout=seconds))
        provider.add_span_processor(out)
        if keeps_failures:
            provider.add_span_processor(Failures(out))
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


def cause(headers: Mapping[str, str], since: datetime | None, *, apart: bool = False) -> Cause:
    """What headers carry, as the parent of what follows soon, as a link of what follows late.

    ``since``: when the cause was stored, None where nobody knows. ``apart``: the work was put off on purpose.
    """
    if apart or (since is not None and datetime.now(UTC) - since > SAME_TRACE):
        return Cause(parent=ROOT, links=(link(headers),))
    return Cause(parent=extract(headers))


def current() -> Span:
    """The span around what runs now; one that records nothing where there is none."""
    return trace.get_current_span()


def fail(span: Span, error: str) -> None:
    """Marks the span as failed. ``error`` is of a closed set of words, such as a type or a code, never a message.

    Who says it first is nearest to it: a later word changes nothing.
    """
    if span.is_recording() and not _is_failed(span):
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: Context | None = None,
    links: tuple[Link, ...] = (),
    attributes: Mapping[str, str | int] | None = None,
    begun_ns: int | None = None,
    spared: tuple[type[Exception], ...] = (),
) -> Iterator[Span]:
    """A span around a block. An exception marks it as failed by its type; its message stays out of the span.

    ``begun_ns``: when it began, in ns since the epoch, where that was earlier. ``spared``: exceptions that are no
    failures; ``parley.outcome`` names them.
    """
    started = _tracer.start_span(name, parent, kind, attributes, links, begun_ns)
    with trace.use_span(started, end_on_exit=True, record_exception=False, set_status_on_exception=False) as inner:
        try:
            yield inner
        except spared as error:
            inner.set_attribute("parley.outcome", type(error).__name__.lower())
            raise
        except Exception as error:
            fail(inner, type(error).__name__)
            raise


def _is_failed(span: Span) -> bool:
    return isinstance(span, ReadableSpan) and span.status.status_code is StatusCode.ERROR


def _resource(service: str) -> Resource:
    """Who sends the spans. What ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES`` say goes first."""
    attributes = {SERVICE_NAME: f"parley-{service}", SERVICE_INSTANCE_ID: str(uuid.uuid4())}
    with suppress(PackageNotFoundError):
        attributes[SERVICE_VERSION] = version("parley-common")
    return Resource.create(attributes).merge(OTELResourceDetector().detect())
