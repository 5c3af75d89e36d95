"""What Prometheus learns of sending. No label is data of people: types, channels, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from prometheus_client import Counter, Gauge, Histogram

from parley_common.domain import twilio_codes
from parley_common.events import FailureClass, Priority, TurnDone
from parley_common.metrics import WORK_BUCKETS_S, begin, exemplar
from parley_egress.outcome import Created, InDoubt, NotSent
from parley_egress.parts import Part

_OUTCOMES = tuple(kind.__name__ for kind in (Created, NotSent, InDoubt))
_HTTP = ("429", "500", "502", "503", "504")
_OTHER_HTTP = "http"
_NO_ANSWER = "no_answer"

PARTS = Counter("parley_parts", "Parts of messages, by what came of each attempt.", ["outcome"])
SEND = Histogram(
    "parley_send_seconds", "One request that has Twilio send a part.", ["outcome"], buckets=WORK_BUCKETS_S
)
RATE_WAIT = Histogram(
    "parley_rate_wait_seconds",
    "A part's wait for a slot of its sender's rate.",
    ["priority"],
    buckets=WORK_BUCKETS_S,
)
IN_DOUBT = Gauge("parley_parts_in_doubt", "Attempts without an outcome that are being settled here.")
_failures = Counter("parley_part_failures", "Parts not sent, or in doubt, by why.", ["code"])
_reply = Histogram(
    "parley_reply_seconds",
    "From the end of a turn stored to its first part taken by Twilio.",
    buckets=WORK_BUCKETS_S,
)
_senders = Gauge("parley_senders_owned", "Senders whose rate this process keeps.")
_paused = Gauge("parley_paused", "Whether the operator has paused a channel, or is not heard.", ["channel"])

begin(PARTS, _OUTCOMES)
begin(SEND, _OUTCOMES)
begin(RATE_WAIT, Priority)
begin(_failures, (*twilio_codes.LABELS, *FailureClass, *_HTTP, _OTHER_HTTP, _NO_ANSWER))


def count_failure(outcome: NotSent | InDoubt) -> None:
    """Counts a part that Twilio does not have, or perhaps has."""
    _failures.labels(failure_code(outcome)).inc()


def failure_code(outcome: NotSent | InDoubt) -> str:
    """Why, as a label: Twilio's code, else the status of HTTP, else Parley's own reason."""
    match outcome:
        case NotSent(code=None):
            return outcome.failure.value
        case NotSent(code=code):
            return twilio_codes.label(code)
        case InDoubt(status=None):
            return _NO_ANSWER
        case InDoubt(status=status):
            return str(status) if str(status) in _HTTP else _OTHER_HTTP


def note_reply(part: Part, now: datetime) -> None:
    """Measures how long a reply took from its turn's end, at its first part."""
    slot, origin = part.slot, part.origin
    if isinstance(origin.event, TurnDone) and slot.message == 0 and slot.part == 0:
        _reply.observe(max(0.0, (now - origin.stored_at).total_seconds()), exemplar())


def show_senders(owned: Callable[[], int]) -> None:
    """Has the number of owned senders told, as it is whenever somebody asks."""
    _senders.set_function(owned)


def show_paused(is_paused: Callable[[str], bool], channels: Iterable[str]) -> None:
    """The same for whether a channel is paused."""
    for channel in channels:
        _paused.labels(channel).set_function(partial(is_paused, channel))
