"""The spans of folds: there the trace of a text ends. Made once the fold is known to be in the database.

A span that is open while the database is written would fail with it, at each attempt and for every report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from opentelemetry.trace import Span, SpanKind

from parley_common import topology, tracing, tracing_attributes
from parley_common.events import AnyEvent, DeliveryReport
from parley_status.delivery import RANKS
from parley_status.endings import COUNTED_FOR

_REPORTS = topology.reports("{conversation}", "{part}")
_NOT_DELIVERED = ("undelivered", "failed")


@dataclass(frozen=True, kw_only=True)
class Folding:
    """The folding of an event: how it was stored, and when the transaction began, in ns since the epoch."""

    event: AnyEvent
    headers: Mapping[str, str]
    stored_at: datetime
    begun_ns: int

    def tell_done(self, now: datetime) -> None:
        """The span of a report that is in the database now. What it says of the text is the span's failure.

        Of old news it is none: a database that is built anew sees all of it once more.
        """
        for report in self._traced():
            with self._span(report) as span:
                if report.status in _NOT_DELIVERED and now - report.at < COUNTED_FOR:
                    tracing.fail(span, str(report.error_code or report.status))

    def tell_refused(self, error: str) -> None:
        """The span of a report that no row can hold; its dead letter is written."""
        for report in self._traced():
            with self._span(report) as span:
                tracing.fail(span, error)

    def _traced(self) -> Iterator[DeliveryReport]:
        """The event where it is a report, and what wrote it was traced: the webhook, or the question to Twilio."""
        if isinstance(self.event, DeliveryReport) and "traceparent" in self.headers:
            yield self.event

    def _span(self, report: DeliveryReport) -> AbstractContextManager[Span]:
        cause = tracing.cause(self.headers, self.stored_at)
        return tracing.span(
            f"fold {type(report).__name__}",
            SpanKind.CONSUMER,
            parent=cause.parent,
            links=cause.links,
            attributes=_attributes(report),
            begun_ns=self.begun_ns,
        )


def _attributes(report: DeliveryReport) -> tracing_attributes.Attributes:
    of_message = tracing_attributes.processing(_REPORTS, topology.STATUS_REPORTS, message_id=report.id)
    status = report.status if report.status in RANKS else "unknown"
    attributes = {"parley.conversation": report.conversation, "twilio.status": status, **of_message}
    return attributes if report.error_code is None else {**attributes, "twilio.error_code": report.error_code}
