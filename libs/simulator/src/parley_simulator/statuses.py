"""The statuses of a message and the steps between them, as a table.

Knows nothing of time, callbacks or why a message fails; it only says which step exists.
"""

from enum import StrEnum


class Status(StrEnum):
    """Twilio's message statuses, spelled as on the wire."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    CANCELED = "canceled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    RECEIVING = "receiving"
    RECEIVED = "received"


STEPS: dict[Status, frozenset[Status]] = {
    Status.ACCEPTED: frozenset({Status.QUEUED, Status.FAILED}),
    Status.SCHEDULED: frozenset({Status.ACCEPTED, Status.QUEUED, Status.CANCELED, Status.FAILED}),
    Status.QUEUED: frozenset({Status.SENDING, Status.SENT, Status.FAILED}),
    Status.SENDING: frozenset({Status.SENT, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.UNDELIVERED}),
    Status.DELIVERED: frozenset(),
    Status.UNDELIVERED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.RECEIVING: frozenset({Status.RECEIVED}),
    Status.RECEIVED: frozenset(),
}


class UnknownStepError(ValueError):
    """A step that is not in the table."""


def next_status(current: Status, wanted: Status) -> Status:
    """Return `wanted` if the table has this step, else refuse it by name."""
    if wanted not in STEPS[current]:
        raise UnknownStepError(f"a message cannot go from {current} to {wanted}")
    return wanted


def is_final(status: Status) -> bool:
    """Whether nothing follows."""
    return not STEPS[status]
