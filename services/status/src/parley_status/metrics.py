"""What Prometheus learns of the projection. Labels are names of our own types, never data of people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import get_args

from prometheus_client import Counter, Histogram

from parley_common.domain import twilio_codes
from parley_common.events import AnyEvent
from parley_common.metrics import DELIVERY_BUCKETS_S, begin
from parley_status.asking import Answer
from parley_status.endings import FINAL, Change


class Failing(StrEnum):
    """Why a fold failed."""

    DATABASE = "database"
    BROKER = "broker"
    UNDECODABLE = "undecodable"
    UNFOLDABLE = "unfoldable"


FOLDED = Counter("parley_status_events_folded", "Events folded, counted again where redelivered.", ["type"])
FAILURES = Counter("parley_status_fold_failures", "Folds that failed, by what was the matter.", ["cause"])
ASKED = Counter("parley_status_twilio_asked", "Parts for which Twilio was asked, by its answer.", ["answer"])
_deliveries = Counter(
    "parley_deliveries", "Parts that have come to their end, by their first final status.", ["status"]
)
_failures = Counter("parley_delivery_failures", "Parts that never arrived, by Twilio's error code.", ["code"])
_seconds = Histogram(
    "parley_delivery_seconds", "From Twilio's taking a part to its end.", ["status"], buckets=DELIVERY_BUCKETS_S
)
_conflicts = Counter("parley_delivery_conflicts", "Parts with final statuses that contradict one another.")

begin(FOLDED, (kind.__name__ for kind in get_args(AnyEvent)))
begin(FAILURES, Failing)
begin(ASKED, (kind.__name__.lower() for kind in get_args(Answer)))
begin(_deliveries, FINAL)
begin(_failures, (*twilio_codes.LABELS, twilio_codes.NO_CODE))
begin(_seconds, FINAL)


def count_deliveries(changes: Iterable[Change], now: datetime) -> None:
    """Counts what these changes, which are in the database now, tell of deliveries."""
    for change in changes:
        if not change.is_news(now):
            continue
        status = change.after.status
        if change.has_ended and status is not None:
            _deliveries.labels(status).inc()
            if change.took_s is not None:
                _seconds.labels(status).observe(change.took_s)
        if change.has_failed:
            _failures.labels(twilio_codes.label(change.after.error_code)).inc()
        if change.contradicts:
            _conflicts.inc()
