"""Which traces are recorded: those that are linked share the lot of the trace they are linked to."""

from __future__ import annotations

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from parley_common.tracing_sampler import LinkedAlike

LOW, HIGH = 1, (1 << 64) - 1
"""Ids of traces: the ratio takes the low, and leaves the high."""


def span_at(trace_id: int, *, sampled: bool) -> SpanContext:
    return SpanContext(trace_id, 7, is_remote=True, trace_flags=TraceFlags(int(sampled)))


def decided(
    sampler: Sampler, trace_id: int, *, parent: SpanContext | None, linked: SpanContext | None
) -> Decision:
    context = Context() if parent is None else set_span_in_context(NonRecordingSpan(parent), Context())
    links = [] if linked is None else [Link(linked)]
    return sampler.should_sample(context, trace_id, "send part", links=links).decision


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("root", [ALWAYS_ON, ALWAYS_OFF])
def test_a_linked_trace_goes_by_the_flag_of_the_other(root: Sampler, sampled: bool) -> None:
    sampler = LinkedAlike(ParentBased(root), records_all=False)
    found = decided(sampler, HIGH, parent=None, linked=span_at(LOW, sampled=sampled))
    assert found is (Decision.RECORD_AND_SAMPLE if sampled else Decision.DROP)


@pytest.mark.parametrize(("other", "expected"), [(LOW, Decision.RECORD_AND_SAMPLE), (HIGH, Decision.DROP)])
def test_a_ratio_takes_a_linked_trace_where_it_took_the_other(other: int, expected: Decision) -> None:
    sampler = LinkedAlike(TraceIdRatioBased(0.5), records_all=False)
    own = HIGH if other is LOW else LOW
    assert decided(sampler, own, parent=None, linked=span_at(other, sampled=False)) is expected


def test_a_child_goes_by_its_parent_whatever_it_is_linked_to() -> None:
    sampler = LinkedAlike(ParentBased(ALWAYS_ON), records_all=False)
    parent, linked = span_at(LOW, sampled=False), span_at(HIGH, sampled=True)
    assert decided(sampler, LOW, parent=parent, linked=linked) is Decision.DROP


def test_a_link_to_nothing_says_nothing() -> None:
    sampler = LinkedAlike(ParentBased(ALWAYS_ON), records_all=False)
    assert decided(sampler, HIGH, parent=None, linked=SpanContext(0, 0, is_remote=True)) is not Decision.DROP


def test_what_is_not_sampled_is_recorded_with_all_it_says_where_failures_are_kept() -> None:
    sampler = LinkedAlike(ALWAYS_OFF, records_all=True)
    result = sampler.should_sample(None, LOW, "turn", attributes={"parley.upto": 3})
    assert result.decision is Decision.RECORD_ONLY
    assert dict(result.attributes or {}) == {"parley.upto": 3}
