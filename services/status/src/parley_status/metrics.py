"""What Prometheus learns of the projection. Labels are names of our own types, never data of people."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import Counter, Gauge


class Failing(StrEnum):
    """Why a fold failed."""

    DATABASE = "database"
    BROKER = "broker"
    UNDECODABLE = "undecodable"
    UNFOLDABLE = "unfoldable"


FOLDED = Counter("parley_status_events_folded", "Events folded, counted again where redelivered.", ["type"])
FAILURES = Counter("parley_status_fold_failures", "Folds that failed, by what was the matter.", ["cause"])
PENDING = Gauge("parley_status_pending", "Events not yet handed to this consumer.", ["consumer"])
ASKED = Counter("parley_status_twilio_asked", "Parts for which Twilio was asked, by its answer.", ["answer"])
