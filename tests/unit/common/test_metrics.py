"""What all metrics share: the answer of ``/metrics``, exemplars, series that are there from the start."""

from __future__ import annotations

import re

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from prometheus_client import CollectorRegistry, Counter

from parley_common.metrics import begin, exemplar, exposition

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5"
)


@pytest.mark.parametrize("accept", [PROMETHEUS_2, PROMETHEUS_3, "text/html, Application/OpenMetrics-Text ; q=1"])
def test_who_accepts_openmetrics_gets_it(accept: str) -> None:
    content, kind = exposition(accept)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert content.endswith(b"# EOF\n")


@pytest.mark.parametrize(
    "accept", ["", "*/*", "text/plain;version=0.0.4", "application/openmetrics-text2", ",;=q"]
)
def test_everybody_else_gets_plain_text(accept: str) -> None:
    content, kind = exposition(accept)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# EOF" not in content


def test_a_series_is_there_for_each_value_of_each_label() -> None:
    registry = CollectorRegistry()
    counter = Counter("tried", "Tries.", ["who", "how"], registry=registry)
    begin(counter, ("a", "b"), (word for word in ("well", "badly")))
    (family,) = registry.collect()
    shown = {tuple(one.labels.values()): one.value for one in family.samples if one.name == "tried_total"}
    assert shown == {("a", "well"): 0.0, ("a", "badly"): 0.0, ("b", "well"): 0.0, ("b", "badly"): 0.0}


def test_without_a_trace_there_is_no_exemplar() -> None:
    assert exemplar() is None


@pytest.mark.parametrize(
    ("sampler", "is_shown"), [(ALWAYS_ON, True), (ALWAYS_OFF, False)], ids=["kept", "dropped"]
)
def test_an_exemplar_names_a_trace_that_is_sampled(sampler: Sampler, is_shown: bool) -> None:
    tracer = TracerProvider(sampler=sampler).get_tracer("test")
    with tracer.start_as_current_span("work"):
        found = exemplar()
    assert (found is not None) is is_shown
    assert found is None or re.fullmatch("[0-9a-f]{32}", found["trace_id"])
