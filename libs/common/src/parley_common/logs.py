"""Logs: one JSON object a line with trace ids, or readable lines for a terminal; never a number or a text.

Whoever logs leaves personal data out. The redaction here is the last line of defence, not the first.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from parley_common.domain.redaction import redact_text

_UNREDACTED = ("timestamp", "trace_id", "span_id", "_record", "_from_structlog")

_QUIET = (
    *("uvicorn", "aiohttp.access", "httpx2", "httpcore2", "twilio", "openai", "anthropic"),
    *("opentelemetry", "alembic"),
)
"""Libraries whose everyday lines say nothing, or too much: they log requests with their URLs."""


def start_logging(service: str, *, readable: bool = False, stream: TextIO = sys.stdout) -> None:
    """Routes structlog and the standard library's loggers to ``stream``, as JSON or readable."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        _adder({"service": service}),
        add_frames,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    renderer: Processor = structlog.processors.JSONRenderer()
    if readable:
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _adder(fields: Mapping[str, str]) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {**event, **fields}

    return add


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def add_frames(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Where an exception came from and of which type it is. What it says stays out: it may quote a text."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        frames = "".join(traceback.format_tb(error.__traceback__))
        event["exception"] = f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}"
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _redacted(value) if key not in _UNREDACTED else value for key, value in event.items()}


def _redacted(value: object) -> object:
    """Plain numbers and nothing stay; whatever else there is goes out as redacted text."""
    return value if value is None or isinstance(value, int | float) else redact_text(str(value))
