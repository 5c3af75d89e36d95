"""A receiver of OTLP over HTTP: every span that a process sent, with the process that sent it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from harness.model_server import served

ATTRIBUTE = str | int | float | bool | tuple[str, ...]
_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """One span. ``links``: trace and span at the other ends. ``error``: what its status says, None without one."""

    resource: Mapping[str, ATTRIBUTE]
    name: str
    kind: str
    trace: str
    span: str
    parent: str
    attributes: Mapping[str, ATTRIBUTE]
    links: tuple[tuple[str, str], ...]
    events: int
    error: str | None
    raw: str

    @property
    def service(self) -> str:
        """Who sent it, as ``agent``."""
        return str(self.resource["service.name"]).removeprefix("parley-")


@dataclass
class Spans:
    """All that came, in the order of its coming."""

    url: str = ""
    all: list[Told] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Takes what an exporter posts."""
        for sent in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            resource = _attributes(sent.resource.attributes)
            self.all += [_told(span, resource) for scope in sent.scope_spans for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")

    def of_conversation(self, conversation: str) -> list[Told]:
        """The spans that name the conversation."""
        return [span for span in self.all if span.attributes.get("parley.conversation") == conversation]

    def of_trace(self, trace: str) -> list[Told]:
        """The spans of one trace."""
        return [span for span in self.all if span.trace == trace]

    def below(self, span: Told) -> list[Told]:
        """The children of the span."""
        return [one for one in self.of_trace(span.trace) if one.parent == span.span]

    def path_to(self, span: Told) -> list[Told]:
        """The span with those it is below, from the first of its trace that came."""
        by_id = {one.span: one for one in self.of_trace(span.trace)}
        path = [span]
        while path[0].parent in by_id:
            path.insert(0, by_id[path[0].parent])
        return path


@asynccontextmanager
async def span_receiver() -> AsyncIterator[Spans]:
    """A receiver on a port of its own; ``url`` is what OTEL_EXPORTER_OTLP_ENDPOINT wants."""
    spans = Spans()
    application = web.Application(client_max_size=64_000_000)
    application.router.add_post("/v1/traces", spans.take)
    async with served(application) as spans.url:
        yield spans


def _told(span: Span, resource: Mapping[str, ATTRIBUTE]) -> Told:
    failed = span.status.code == Status.STATUS_CODE_ERROR
    return Told(
        resource=resource,
        name=span.name,
        kind=_KINDS[span.kind],
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes=_attributes(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        events=len(span.events),
        error=span.status.message if failed else None,
        raw=str(span),
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, ATTRIBUTE]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> ATTRIBUTE:
    if value.WhichOneof("value") == "array_value":
        return tuple(one.string_value for one in value.array_value.values)
    found: ATTRIBUTE = getattr(value, value.WhichOneof("value") or "string_value")
    return found
