"""What can be changed while the simulator runs: delays, rates, limits.

Plain values; the parts of the simulator read them at the moment they need them.
"""

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Rate = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Tuning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The knobs of `POST /_simulator/settings`, with what a fresh simulator uses."""

    sent_after_s: Seconds = 0.05
    """From queued to sent, after the sender's rate let the message go."""
    delivered_after_s: Seconds = 0.15
    """From sent to delivered."""
    jitter_s: Seconds = 0.0
    """Up to this much is added to both; more than zero lets texts overtake one another."""
    report_sending: bool = False
    """Whether the walk passes through `sending`, which Twilio reports now and then."""
    status_callbacks: bool = True
    """Whether status callbacks are posted at all."""
    segments_per_s: Rate | None = None
    """Every sender's rate in segments; none means no limit."""
    queue_limit_s: Seconds = 36_000.0
    """The longest wait in a sender's queue: above it 21611, or 30001 with a Messaging Service."""
    rest_latency_s: Seconds = 0.0
    """Added to every REST answer."""
    rest_concurrency: Count | None = None
    """REST requests answered at one time; one more gets 20429."""
    retry_pause_s: Seconds = 0.2
    """Between two attempts of one webhook."""
    opt_out_keywords: bool = True
    """Whether STOP, START and HELP are handled as Twilio does by default."""
    advanced_opt_out: bool = False
    """Whether webhooks of keywords carry OptOutType."""


def change_tuning(current: Tuning, changes: dict[str, object]) -> Tuning:
    """Return the tuning with some fields replaced; msgspec.ValidationError names a bad one."""
    return msgspec.convert({**msgspec.structs.asdict(current), **changes}, Tuning)
