"""The spans of egress around one part: what they say of it, and whose children they are."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

from opentelemetry.trace import Span, SpanKind

from parley_common import tracing, tracing_attributes
from parley_common.bus import Superseded
from parley_common.channels import Channel
from parley_common.doorbells import Busy
from parley_common.lanes import find_lane
from parley_common.tracing_attributes import Attributes
from parley_egress import due
from parley_egress.parts import Part

_NO_WAIT = timedelta(0)


def send_span(part: Part, channel: Channel | None) -> AbstractContextManager[Span]:
    """One attempt to have a part sent, from the wait for a slot to the record of what came of it."""
    attributes = _of_message(part) | {"parley.attempt": part.attempts + 1}
    return _span("send part", SpanKind.CONSUMER, part, channel, attributes)


def settle_span(part: Part, channel: Channel) -> AbstractContextManager[Span]:
    """The wait for evidence of a part in doubt; ``parley.attempt`` is the one that is."""
    return _span("settle part", SpanKind.INTERNAL, part, channel, {"parley.attempt": part.attempts})


def was_put_off(part: Part, channel: Channel | None) -> bool:
    """Whether the part was not due when it was written: planned for later, or held by quiet hours. Pure."""
    stored_at, not_before = part.origin.stored_at, part.origin.not_before
    if not_before is not None and not_before - stored_at > _NO_WAIT:
        return True
    return channel is not None and due.is_quiet(part, stored_at, channel.quiet_hours)


def _span(
    name: str, kind: SpanKind, part: Part, channel: Channel | None, attributes: Attributes
) -> AbstractContextManager[Span]:
    """Below the turn, or whatever else wrote the part.

    What was put off on purpose, or is late, begins a trace of its own that is linked to it.
    """
    origin = part.origin
    cause = tracing.cause(origin.headers, origin.stored_at, apart=was_put_off(part, channel))
    return tracing.span(
        name,
        kind,
        parent=cause.parent,
        links=cause.links,
        attributes={
            "parley.conversation": origin.event.conversation,
            "parley.part_id": part.part_id,
            **attributes,
        },
        spared=(Busy, Superseded),
    )


def _of_message(part: Part) -> Attributes:
    lane = find_lane(part.origin.subject)
    if lane is None:
        return {}
    template = lane.source("{conversation}")
    return tracing_attributes.processing(template, lane.durable, message_id=part.origin.event.id)
