"""Which traces are recorded: as the standard variables say, and linked ones like the trace they are linked to."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes


class LinkedAlike(Sampler):
    """Asks another sampler. A trace that begins with a link is judged as the trace at the link's other end.

    ``records_all``: what is not sampled is recorded all the same, without the flag that others go by.
    """

    def __init__(self, asked: Sampler, *, records_all: bool) -> None:
        self._asked = asked
        self._records_all = records_all

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """What is done with a span that begins."""
        origin = _origin(parent_context, links)
        if origin is not None:
            context = set_span_in_context(NonRecordingSpan(origin), Context())
            asked = self._asked.should_sample(context, origin.trace_id, name, kind, attributes, links)
            result = SamplingResult(asked.decision, asked.attributes)
        else:
            result = self._asked.should_sample(parent_context, trace_id, name, kind, attributes, links)
        if self._records_all and result.decision is Decision.DROP:
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    def get_description(self) -> str:
        """What it is, for whoever prints it."""
        return f"LinkedAlike{{{self._asked.get_description()}}}"


def _origin(parent_context: Context | None, links: Sequence[Link] | None) -> SpanContext | None:
    """The other end of the first link of a span that begins a trace."""
    if not links or get_current_span(parent_context).get_span_context().is_valid:
        return None
    return links[0].context if links[0].context.is_valid else None
