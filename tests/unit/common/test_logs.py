"""Log lines: one JSON object each, with trace ids, without numbers."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from parley_common.logs import start_logging

NUMBER = "+15550100200"
SID = "SM" + "0123456789abcdef" * 2
LIBRARIES = ("uvicorn", "twilio", "opentelemetry", "alembic", "aiohttp.access")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in LIBRARIES}
    configured = structlog.get_config()
    for handler in handlers:  # basicConfig(force=True) would close those of pytest
        root.removeHandler(handler)
    yield io.StringIO()
    structlog.configure(**configured)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_service(stream: io.StringIO) -> None:
    start_logging("agent", stream=stream)
    structlog.get_logger("parley").info("turn done", upto=7)
    (line,) = lines(stream)
    assert (line["event"], line["upto"], line["level"], line["service"]) == ("turn done", 7, "info", "agent")
    assert line["timestamp"].endswith("Z")


def test_a_line_in_a_span_carries_its_trace(stream: io.StringIO) -> None:
    start_logging("agent", stream=stream)
    with TracerProvider(shutdown_on_exit=False).get_tracer("test").start_as_current_span("turn") as span:
        structlog.get_logger("parley").info("inside")
    structlog.get_logger("parley").info("outside")
    inside, outside = lines(stream)
    context = span.get_span_context()
    assert inside["trace_id"] == trace.format_trace_id(context.trace_id)
    assert inside["span_id"] == trace.format_span_id(context.span_id)
    assert "trace_id" not in outside


def test_the_id_of_a_span_that_looks_like_a_number_is_not_masked(stream: io.StringIO) -> None:
    start_logging("test", stream=stream)
    context = trace.SpanContext(0x15550160999, 0x1555016099, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        structlog.get_logger().info("hello")
    line = json.loads(stream.getvalue())
    assert (line["trace_id"], line["span_id"]) == ("00000000000000000000015550160999", "0000001555016099")


@pytest.mark.parametrize("readable", [False, True])
def test_a_number_in_a_line_is_masked(stream: io.StringIO, *, readable: bool) -> None:
    start_logging("agent", readable=readable, stream=stream)
    log = structlog.get_logger("parley")
    log.info(" ".join(("texted", NUMBER)))
    log.info("texted", to=f"whatsapp:{NUMBER}")
    assert "0100" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2


def test_a_number_in_an_exception_is_masked(stream: io.StringIO) -> None:
    start_logging("agent", stream=stream)
    try:
        raise ValueError(NUMBER)
    except ValueError:
        structlog.get_logger("parley").exception("work failed")
    (line,) = lines(stream)
    assert "ValueError" in line["exception"]
    assert "0100" not in stream.getvalue()


def test_a_number_in_a_librarys_line_is_masked(stream: io.StringIO) -> None:
    start_logging("agent", stream=stream)
    logging.getLogger("aiohttp.client").warning("POST to %s", NUMBER)
    try:
        raise ValueError(NUMBER)
    except ValueError:
        logging.getLogger("asyncio").exception("task failed")
    first, second = lines(stream)
    assert first["event"].startswith("POST to ")
    assert (first["service"], first["level"]) == ("agent", "warning")
    assert "ValueError" in second["exception"]
    assert "0100" not in stream.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([NUMBER], id="in a list"),
        pytest.param({"to": NUMBER}, id="in a mapping"),
        pytest.param(ValueError(NUMBER), id="in an exception"),
        pytest.param(NUMBER.encode(), id="in bytes"),
    ],
)
def test_a_number_inside_a_value_is_masked(stream: io.StringIO, value: object) -> None:
    start_logging("agent", stream=stream)
    structlog.get_logger("parley").info("texted", to=value)
    assert lines(stream)
    assert "0100200" not in stream.getvalue()


def test_what_operators_search_for_is_not_masked(stream: io.StringIO) -> None:
    start_logging("egress", stream=stream)
    structlog.get_logger("parley").info("sent", sid=SID, conversation="0123456789abcdef" * 2)
    (line,) = lines(stream)
    assert (line["sid"], line["conversation"]) == (SID, "0123456789abcdef" * 2)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_that_says_too_much_is_heard_only_when_it_warns(stream: io.StringIO, library: str) -> None:
    start_logging("egress", stream=stream)
    logging.getLogger(f"{library}.deep").info("POST Body=a text of a person")
    logging.getLogger(library).warning("slow")
    assert [line["event"] for line in lines(stream)] == ["slow"]


def test_lines_for_debugging_are_not_written(stream: io.StringIO) -> None:
    start_logging("egress", stream=stream)
    structlog.get_logger("parley").debug("detail")
    logging.getLogger("anything").debug("detail")
    assert stream.getvalue() == ""


def test_what_is_bound_to_the_context_is_in_each_line(stream: io.StringIO) -> None:
    start_logging("egress", stream=stream)
    with structlog.contextvars.bound_contextvars(conversation="c1"):
        structlog.get_logger("parley").info("sent")
    assert lines(stream)[0]["conversation"] == "c1"


def test_an_exception_tells_where_it_came_from_and_not_what_it_says(stream: io.StringIO) -> None:
    start_logging("agent", stream=stream)
    text = "my secret"
    for log in (structlog.get_logger("parley"), logging.getLogger("library")):
        try:
            int(text)
        except ValueError:
            log.exception("it failed")
    assert "my secret" not in stream.getvalue()
    for line in lines(stream):
        assert line["exception"].endswith("ValueError")
        assert "test_logs.py" in line["exception"]
