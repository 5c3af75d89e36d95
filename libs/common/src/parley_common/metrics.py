"""What all metrics share: buckets, exemplars, series that are there from the start, and ``/metrics`` itself.

No label holds data of people: each has a closed set of values, or names that the operator gave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version

from opentelemetry import trace
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

WEBHOOK_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
"""Twilio waits 15 s."""

WORK_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0)
"""What people wait for: from a script's answer to that of a slow model, or of a queue."""

DELIVERY_BUCKETS_S = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 172_800.0)
"""From a phone that is on to one that is switched on two days later."""

OTHER = "other"
"""The label of all that is not in the closed set."""

_OPENMETRICS = "application/openmetrics-text"

_build = Gauge(
    "parley_build_info", "Always 1; the labels tell the release and the service.", ["version", "service"]
)
_connected = Gauge("parley_broker_connected", "Whether the connection to the broker stands (1) or not (0).")


def show_build(service: str) -> None:
    """Tells the release. Counters then have no second series that only says when they began."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    _build.labels(version("parley-common"), service).set(1)


def show_broker(is_connected: Callable[[], bool]) -> None:
    """Has the connection's state told, as it is whenever somebody asks."""
    _connected.set_function(is_connected)


def begin(metric: Counter | Gauge | Histogram, *sets: Iterable[str]) -> None:
    """Makes the series of these labels, one of each set in the metric's order: rates are known from zero on."""
    chosen: list[tuple[str, ...]] = [()]
    for values in map(tuple, sets):
        chosen = [(*before, value) for before in chosen for value in values]
    for labels in chosen:
        metric.labels(*labels)


def exemplar() -> dict[str, str] | None:
    """The current trace, for a histogram to show beside its number; None where no sampled span is open."""
    context = trace.get_current_span().get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return {"trace_id": trace.format_trace_id(context.trace_id)}


def exposition(accept: str) -> tuple[bytes, str]:
    """All metrics and their content type. OpenMetrics, which alone carries exemplars, for whoever accepts it."""
    kinds = {kind.partition(";")[0].strip().lower() for kind in accept.split(",")}
    if _OPENMETRICS in kinds:
        content: bytes = openmetrics.generate_latest(REGISTRY)  # type: ignore[no-untyped-call]
        return content, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY), CONTENT_TYPE_PLAIN_0_0_4
