"""Spans of failed work leave the process even where their trace is not sampled.

A span that is recorded without being sampled is kept until the work around it, up to the first span of this
process, has ended; where any span of it failed, all are sent. What is kept is bounded in number, whatever happens.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

SENT_FOR = "parley.sent_for"
"""The attribute of spans that left against the ratio."""

_MOST_KEPT = 2_000
_MOST_KEPT_OF_ONE = 50
_MOST_OPEN = 5_000


@dataclass
class _Work:
    """The spans of one trace below one first span of this process. ``kept`` are those that ended well."""

    root: int
    kept: list[ReadableSpan] = field(default_factory=list)
    failed: bool = False
    over: bool = False


class Failures(SpanProcessor):
    """Hands spans of failed work to ``out``, as if they had been sampled.

    ``most_kept``: ended spans of work that goes on, ``most_of_one`` of the same work. Those beyond are given up.
    ``most_open``: spans that go on; the oldest beyond is forgotten, and sent alone should it fail.
    """

    def __init__(
        self,
        out: SpanProcessor,
        *,
        most_kept: int = _MOST_KEPT,
        most_of_one: int = _MOST_KEPT_OF_ONE,
        most_open: int = _MOST_OPEN,
    ) -> None:
        self._out = out
        self._most_kept = most_kept
        self._most_of_one = most_of_one
        self._most_open = most_open
        self._open: dict[int, _Work] = {}
        self._kept = 0
        self._lock = threading.Lock()

    @property
    def kept(self) -> int:
        """How many ended spans are held."""
        return self._kept

    @property
    def open(self) -> int:
        """How many spans are known to go on."""
        return len(self._open)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span begins: remembers which work it belongs to."""
        if _is_sampled(span):
            return
        number, parent = span.get_span_context().span_id, span.parent
        with self._lock:
            work = None if parent is None or parent.is_remote else self._open.get(parent.span_id)
            self._open[number] = work if work is not None else _Work(root=number)
            if len(self._open) > self._most_open:
                self._forget(next(iter(self._open)))

    def on_end(self, span: ReadableSpan) -> None:
        """A span has ended: sends it, keeps it, or gives it up with all of its work."""
        if span.context is None or _is_sampled(span):
            return
        with self._lock:
            leaving = self._ended(span, span.context.span_id)
        for one in leaving:
            self._out.on_end(_as_sampled(one))

    def shutdown(self) -> None:
        """Forgets all; ``out`` ends by itself."""
        with self._lock:
            self._open.clear()
            self._kept = 0

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """There is nothing to wait for."""
        return True

    def _ended(self, span: ReadableSpan, number: int) -> list[ReadableSpan]:
        """What is to be sent now."""
        work = self._open.pop(number, None) or _Work(root=number)
        leaving: list[ReadableSpan] = []
        if span.status.status_code is StatusCode.ERROR:
            work.failed = True
            leaving += work.kept
            self._give_up(work)
        if work.failed:
            leaving.append(span)
        elif number == work.root:
            self._give_up(work)
            work.over = True
        elif not work.over and self._kept < self._most_kept and len(work.kept) < self._most_of_one:
            work.kept.append(span)
            self._kept += 1
        return leaving

    def _forget(self, number: int) -> None:
        work = self._open.pop(number)
        if work.root == number:
            self._give_up(work)
            work.over = True

    def _give_up(self, work: _Work) -> None:
        self._kept -= len(work.kept)
        work.kept = []


def _is_sampled(span: ReadableSpan) -> bool:
    return span.context is not None and span.context.trace_flags.sampled


def _as_sampled(span: ReadableSpan) -> ReadableSpan:
    """The same span with the flag that lets it out."""
    assert span.context is not None
    context = SpanContext(
        trace_id=span.context.trace_id,
        span_id=span.context.span_id,
        is_remote=False,
        trace_flags=TraceFlags(span.context.trace_flags | TraceFlags.SAMPLED),
        trace_state=span.context.trace_state,
    )
    return ReadableSpan(
        name=span.name,
        context=context,
        parent=span.parent,
        resource=span.resource,
        attributes={**(span.attributes or {}), SENT_FOR: "failure"},
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
