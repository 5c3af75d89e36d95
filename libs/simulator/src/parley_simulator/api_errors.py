"""Twilio's error codes: the HTTP status and the sentence that goes with each.

Only codes the simulator itself produces or scripts name; an unknown code gets a general sentence.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What Twilio says for one code; `{}` in the sentence takes the offending value."""

    status: int
    words: str


ERRORS: dict[int, ErrorKind] = {
    20001: ErrorKind(400, "Invalid parameter: {}"),
    20003: ErrorKind(401, "Authenticate"),
    20004: ErrorKind(405, "Method not allowed"),
    20009: ErrorKind(409, "Cannot delete this resource while it is in progress."),
    20404: ErrorKind(404, "The requested resource {} was not found"),
    20429: ErrorKind(429, "Too Many Requests"),
    20500: ErrorKind(500, "An internal server error has occurred"),
    20503: ErrorKind(503, "Service unavailable"),
    21211: ErrorKind(400, "Invalid 'To' Phone Number: {}"),
    21266: ErrorKind(400, "'To' and 'From' number cannot be the same: {}"),
    21602: ErrorKind(400, "Message body is required."),
    21603: ErrorKind(400, "A 'From' phone number is required."),
    21604: ErrorKind(400, "A 'To' phone number is required."),
    21606: ErrorKind(400, "'From' {} is not a Twilio phone number or Short Code country mismatch"),
    21609: ErrorKind(400, "The 'StatusCallback' URL {} is not a valid URL."),
    21610: ErrorKind(400, "Attempt to send to unsubscribed recipient"),
    21611: ErrorKind(429, "The 'From' number has exceeded the maximum number of queued messages"),
    21617: ErrorKind(400, "The concatenated message body exceeds the 1600 character limit"),
    21620: ErrorKind(400, "Invalid media URL(s): {}"),
    21623: ErrorKind(400, "Number of media files exceeds allowed limit of 10"),
    21701: ErrorKind(404, "The Messaging Service {} does not exist"),
    21703: ErrorKind(400, "The Messaging Service does not have a phone number available to send a message"),
    21712: ErrorKind(400, "The 'From' number {} does not belong to the Messaging Service"),
    30001: ErrorKind(400, "Queue overflow"),
    30003: ErrorKind(400, "Unreachable destination handset"),
    30004: ErrorKind(400, "Message blocked"),
    30005: ErrorKind(400, "Unknown destination handset"),
    30006: ErrorKind(400, "Landline or unreachable carrier"),
    30007: ErrorKind(400, "Message filtered"),
    30008: ErrorKind(400, "Unknown error"),
    30034: ErrorKind(400, "US A2P 10DLC - message from an unregistered number"),
    30036: ErrorKind(400, "Validity period expired"),
    30409: ErrorKind(400, "The message is not in a cancelable state"),
    35114: ErrorKind(400, "SendAt must be between 5 minutes and 35 days from now"),
    35118: ErrorKind(400, "MessagingServiceSid is required to schedule a message"),
    11200: ErrorKind(502, "HTTP retrieval failure"),
}

UNDELIVERED_CODES = frozenset({30003, 30004, 30005, 30006, 30007, 30008, 30034})
"""Codes that come from the carrier after `sent`; all others fail before."""

_BY_STATUS = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}


class ApiError(Exception):
    """A refusal of the REST API."""

    def __init__(self, code: int, value: str = "", *, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or ERRORS.get(code, ErrorKind(400, "")).status
        self.words = words_of(code).format(value)


def words_of(code: int) -> str:
    """Return Twilio's sentence for a code."""
    kind = ERRORS.get(code)
    return kind.words if kind else f"Error {code}"


def code_of_status(status: int) -> int:
    """Return the code a bare HTTP status usually comes with."""
    return _BY_STATUS.get(status, 20500 if status >= 500 else 20001)
