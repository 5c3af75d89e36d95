"""Conversations and consent: their rows and how events change them, in any order. Pure; SQL is elsewhere."""

from __future__ import annotations

from datetime import datetime

import msgspec

from parley_common.events import ConsentCause, ConsentChanged, InboundMessage, Outgoing


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A person and a channel. ``consent_at`` and ``consent_event`` name what last set ``opted_out``."""

    id: str
    channel: str
    contact: str
    last_activity: datetime
    opted_out: bool = False
    consent_at: datetime | None = None
    consent_event: str = ""


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person takes texts from one number or Messaging Service (``scope``)."""

    channel: str
    scope: str
    contact: str
    conversation: str
    granted: bool
    cause: ConsentCause
    at: datetime
    event_id: str


def fold_conversation(
    conversation: Conversation | None, event: InboundMessage | Outgoing | ConsentChanged
) -> Conversation:
    """The conversation after an event."""
    row = conversation or Conversation(
        id=event.conversation, channel=event.channel, contact=event.contact, last_activity=event.at
    )
    if event.at > row.last_activity:
        row = msgspec.structs.replace(row, last_activity=event.at)
    if isinstance(event, ConsentChanged):
        return _fold_opt_out(row, event)
    return row


def _fold_opt_out(row: Conversation, event: ConsentChanged) -> Conversation:
    if row.consent_at is not None:
        known = (row.consent_at, row.opted_out, row.consent_event)
        if (event.at, not event.granted, event.id) <= known:
            return row
    return msgspec.structs.replace(row, opted_out=not event.granted, consent_at=event.at, consent_event=event.id)


def fold_consent(consent: Consent | None, event: ConsentChanged) -> Consent:
    """The consent after a change. The latest cause wins; of two at one instant, the refusal."""
    if consent is not None:
        known = (consent.at, not consent.granted, consent.event_id)
        if (event.at, not event.granted, event.id) <= known:
            return consent
    return Consent(
        channel=event.channel,
        scope=event.scope,
        contact=event.contact,
        conversation=event.conversation,
        granted=event.granted,
        cause=event.cause,
        at=event.at,
        event_id=event.id,
    )
