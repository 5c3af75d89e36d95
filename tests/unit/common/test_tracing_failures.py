"""Spans of failed work leave against the ratio, all of the process's own at the time, and no memory runs full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from parley_common.tracing_failures import SENT_FOR, Failures
from parley_common.tracing_sampler import LinkedAlike


class Out(SpanProcessor):
    """What leaves."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Takes it as the processor that exports does: only with the flag."""
        assert span.context is not None
        assert span.context.trace_flags.sampled
        self.spans.append(span)

    @property
    def names(self) -> list[str]:
        """In the order in which they left."""
        return [span.name for span in self.spans]


class Process:
    """One process that traces and whose ratio takes nothing."""

    def __init__(self, **bounds: int) -> None:
        self.out = Out()
        self.failures = Failures(self.out, **bounds)
        self._provider = TracerProvider(shutdown_on_exit=False)
        self._provider.sampler = LinkedAlike(ParentBased(ALWAYS_OFF), records_all=True)
        self._provider.add_span_processor(self.failures)
        self._tracer = self._provider.get_tracer("test")

    @contextmanager
    def span(self, name: str, *, fails: bool = False, remote: int = 0) -> Iterator[Span]:
        """A span around a block. ``remote``: the trace of a parent in another process."""
        context = None
        if remote:
            context = trace.set_span_in_context(NonRecordingSpan(SpanContext(remote, 1, is_remote=True)))
        with self._tracer.start_as_current_span(name, context) as span:
            yield span
            if fails:
                span.set_status(Status(StatusCode.ERROR, "throttled"))

    def begin(self, name: str) -> Span:
        """A span that goes on."""
        return self._tracer.start_span(name)


@pytest.fixture
def process() -> Process:
    return Process()


def test_the_spans_around_and_below_a_failure_leave_with_it(process: Process) -> None:
    with process.span("turn"):
        with process.span("well before"):
            pass
        with process.span("chat", fails=True), process.span("below"):
            pass
        with process.span("after"):
            pass
    assert sorted(process.out.names) == ["after", "below", "chat", "turn", "well before"]


def test_work_that_goes_well_leaves_no_trace_and_keeps_no_memory(process: Process) -> None:
    for _ in range(1_000):
        with process.span("turn"), process.span("chat"):
            pass
    assert process.out.spans == []
    assert (process.failures.kept, process.failures.open) == (0, 0)


def test_other_work_of_the_same_trace_that_went_well_stays(process: Process) -> None:
    with process.span("first part", remote=5), process.span("POST"):
        pass
    with process.span("second part", remote=5, fails=True):
        pass
    assert process.out.names == ["second part"]


def test_what_leaves_says_all_it_said_and_why_it_left(process: Process) -> None:
    linked = SpanContext(3, 4, is_remote=True, trace_flags=TraceFlags(0))
    with process.span("turn", remote=5) as turn:
        turn.set_attribute("parley.upto", 7)
        turn.add_link(linked)
        turn.set_status(Status(StatusCode.ERROR, "failed"))
    (left,) = process.out.spans
    assert left.context is not None
    assert (left.context.trace_id, left.context.span_id) == (5, turn.get_span_context().span_id)
    assert left.parent is not None
    assert left.parent.span_id == 1
    assert dict(left.attributes or {}) == {"parley.upto": 7, SENT_FOR: "failure"}
    assert [link.context for link in left.links] == [Link(linked).context]
    assert (left.status.description, left.start_time is not None, left.end_time is not None) == (
        "failed",
        True,
        True,
    )


def test_a_span_that_outlives_the_work_around_it_leaves_alone_where_it_fails(process: Process) -> None:
    with process.span("turn"):
        child = process.begin("beside")
        late = process.begin("late")
    child.end()
    assert process.failures.kept == 0
    late.set_status(Status(StatusCode.ERROR))
    late.end()
    assert process.out.names == ["late"]


def test_sampled_spans_are_none_of_its_business() -> None:
    out = Out()
    failures = Failures(out)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(failures)
    with provider.get_tracer("test").start_as_current_span("turn") as span:
        assert failures.open == 0
        span.set_status(Status(StatusCode.ERROR))
    assert out.spans == []


def test_memory_is_bounded_within_one_work_and_over_all() -> None:
    process = Process(most_kept=30, most_of_one=20, most_open=100)
    with process.span("endless"):
        for _ in range(1_000):
            with process.span("step"):
                pass
        assert process.failures.kept == 20
        with process.span("another"):
            for _ in range(1_000):
                with process.span("step"):
                    pass
            assert process.failures.kept == 20, "it is below the same work"
    assert process.failures.kept == 0


def test_memory_is_bounded_over_all_work_at_once() -> None:
    process = Process(most_kept=30, most_of_one=20, most_open=100)
    works = [process.begin("turn") for _ in range(10)]
    for work in works:
        for _ in range(20):
            with trace.use_span(work), process.span("step"):
                pass
    assert process.failures.kept == 30
    for work in works:
        work.end()
    assert process.failures.kept == 0


def test_spans_that_never_end_are_forgotten_and_the_newest_still_watched() -> None:
    process = Process(most_open=100)
    lost = [process.begin("never ends") for _ in range(5_000)]
    assert process.failures.open == 100
    with process.span("turn"):
        with process.span("well"):
            pass
        with process.span("chat", fails=True):
            pass
    assert sorted(process.out.names) == ["chat", "turn", "well"]
    with trace.use_span(lost[0]), process.span("below what was forgotten", fails=True):
        pass
    lost[0].set_status(Status(StatusCode.ERROR))
    lost[0].end()
    assert process.out.names[3:] == ["below what was forgotten", "never ends"]


def test_what_the_forgotten_had_kept_is_given_up() -> None:
    process = Process(most_open=2)
    work = process.begin("turn")
    with trace.use_span(work), process.span("step"):
        pass
    assert process.failures.kept == 1
    others = [process.begin("other") for _ in range(2)]
    assert process.failures.kept == 0
    assert len(others) == process.failures.open


def test_a_stopped_process_keeps_nothing(process: Process) -> None:
    work = process.begin("turn")
    with trace.use_span(work), process.span("step"):
        pass
    process.failures.shutdown()
    assert (process.failures.kept, process.failures.open) == (0, 0)
