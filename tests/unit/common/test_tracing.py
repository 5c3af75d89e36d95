"""One trace over all hops: what one writes into headers, the next reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from parley_common import tracing
from parley_common.doorbells import Busy, Later
from parley_common.settings import SettingsError

PERSONS_TEXT = "my secret text"
RECEIVER = "http://127.0.0.1:9"


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
    ("environment", "processors"),
    [
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER}, ["Batch", "Failures"], id="a receiver"),
        pytest.param({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": RECEIVER}, ["Batch", "Failures"], id="one for traces"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER, "PARLEY_TRACE_FAILURES": "false"},
            ["Batch"],
            id="failures as the ratio says",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER, "OTEL_TRACES_EXPORTER": "none"}, [], id="turned off"
        ),
    ],
)
def test_spans_leave_the_process_where_a_receiver_is_named(
    environment: dict[str, str], processors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provider_for(environment, monkeypatch)
    kinds = [type(one).__name__ for one in provider._active_span_processor._span_processors]
    assert [kind.removesuffix("SpanProcessor") for kind in kinds] == processors


@pytest.mark.parametrize(
    ("environment", "records"),
    [
        pytest.param({}, False, id="no receiver"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER}, True, id="a receiver"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": RECEIVER, "PARLEY_TRACE_FAILURES": "false"}, False, id="only the ratio"
        ),
    ],
)
def test_what_the_standard_sampler_drops_is_recorded_only_to_keep_failures(
    environment: dict[str, str], records: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    span = provider_for(environment, monkeypatch).get_tracer("test").start_span("turn")
    assert not span.get_span_context().trace_flags.sampled
    assert span.is_recording() is records


def test_a_wrong_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="PARLEY_TRACE_FAILURES is 'maybe': write true or false"):
        provider_for({"PARLEY_TRACE_FAILURES": "maybe"}, monkeypatch)


def test_a_process_says_which_service_release_and_instance_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (provider_for({}, monkeypatch).resource.attributes for _ in range(2))
    assert (one["service.name"], one["service.version"]) == ("parley-agent", version("parley-common"))
    assert one["service.instance.id"] != other["service.instance.id"]


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"OTEL_SERVICE_NAME": "mine"}, "mine"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=theirs,service.instance.id=pod-7"}, "theirs"),
        ({"OTEL_SERVICE_NAME": "mine", "OTEL_RESOURCE_ATTRIBUTES": "service.name=theirs"}, "mine"),
    ],
)
def test_what_the_environment_says_of_the_process_goes_first(
    variables: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    attributes = provider_for({}, monkeypatch).resource.attributes
    assert attributes["service.name"] == name
    if "instance" in variables.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        assert attributes["service.instance.id"] == "pod-7"


@pytest.mark.parametrize(
    ("age", "apart", "is_child"),
    [
        pytest.param(timedelta(0), False, True, id="at once"),
        pytest.param(tracing.SAME_TRACE - timedelta(seconds=30), False, True, id="soon"),
        pytest.param(tracing.SAME_TRACE + timedelta(seconds=30), False, False, id="late"),
        pytest.param(timedelta(0), True, False, id="put off on purpose"),
        pytest.param(None, False, True, id="nobody knows since when"),
    ],
)
def test_what_follows_late_is_linked_to_its_cause_and_no_child_of_it(
    age: timedelta | None, apart: bool, is_child: bool, ended: InMemorySpanExporter
) -> None:
    headers: dict[str, str] = {}
    with tracing.span("cause"):
        tracing.inject(headers)
    since = None if age is None else datetime.now(UTC) - age
    found = tracing.cause(headers, since, apart=apart)
    with tracing.span("effect", parent=found.parent, links=found.links):
        pass
    cause, effect = named(ended, "cause"), named(ended, "effect")
    assert cause.context is not None
    assert (effect.parent is not None and effect.parent.span_id == cause.context.span_id) is is_child
    assert [link.context.span_id for link in effect.links] == ([] if is_child else [cause.context.span_id])


def test_a_span_that_begins_a_trace_is_nobodys_child(ended: InMemorySpanExporter) -> None:
    with tracing.span("around"), tracing.span("own", parent=tracing.ROOT):
        pass
    assert named(ended, "own").parent is None


def test_a_state_of_things_is_no_failure(ended: InMemorySpanExporter) -> None:
    with pytest.raises(Busy), tracing.span("turn", spared=(Busy,)):
        raise Later(1.0)
    span = named(ended, "turn")
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {"parley.outcome": "later"}


def test_the_first_word_about_a_failure_stands(ended: InMemorySpanExporter) -> None:
    def refuse() -> None:
        tracing.fail(tracing.current(), "throttled")
        raise ValueError(PERSONS_TEXT)

    with pytest.raises(ValueError, match=PERSONS_TEXT), tracing.span("turn"):
        refuse()
    failed = named(ended, "turn")
    assert failed.status.description == "throttled"
    assert dict(failed.attributes or {}) == {"error.type": "throttled"}


def test_a_span_may_begin_before_it_is_known_whose_child_it_is(ended: InMemorySpanExporter) -> None:
    with tracing.span("webhook", begun_ns=1_000):
        pass
    assert named(ended, "webhook").start_time == 1_000


def provider_for(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """What would become the process's provider, which can be set only once."""
    set_to: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", set_to.append)
    tracing.start_tracing("agent", environment)
    set_to[0].shutdown()
    return set_to[0]
