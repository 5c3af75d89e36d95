"""The events of a turn, made from what is known; time and chance come in as a ``Stamp``."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from parley_agent.rulings import Answer
from parley_agent.texts import Text
from parley_common import topology
from parley_common.bus import Stored
from parley_common.channels import Channel
from parley_common.events import (
    ConsentCause,
    ConsentChanged,
    InboundMessage,
    Reply,
    TurnBegun,
    TurnDone,
    TurnOutcome,
)
from parley_common.tail import Tail


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """An event's own id, and when it was made."""

    id: str
    at: datetime


def new_stamp() -> Stamp:
    """The stamp of an event made now."""
    return Stamp(id=secrets.token_hex(16), at=datetime.now(UTC))


def begun(tail: Tail, texts: Sequence[Text], *, attempt: int, worker: str, stamp: Stamp) -> TurnBegun:
    """The start of a turn over these texts."""
    message = texts[0].message
    return TurnBegun(
        id=stamp.id,
        at=stamp.at,
        channel=message.channel,
        conversation=message.conversation,
        upto=tail.upto,
        first=texts[0].seq,
        last=texts[-1].seq,
        attempt=attempt,
        worker=worker,
        tally=tail.tally,
    )


def done(texts: Sequence[Text], answer: Answer, *, sender: str, expiry: timedelta, stamp: Stamp) -> TurnDone:
    """The end of a turn over these texts."""
    message, key = texts[-1].message, _reply_key(texts[0])
    return TurnDone(
        id=stamp.id,
        at=stamp.at,
        channel=message.channel,
        conversation=message.conversation,
        upto=texts[-1].seq,
        first=texts[0].seq,
        outcome=answer.outcome,
        sender=sender,
        contact=message.contact,
        expires_at=stamp.at + expiry,
        messages=tuple(
            Reply(id=_digest(key, str(n)), text=draft.text, media=draft.media)
            for n, draft in enumerate(answer.messages)
            if draft.text.strip() or draft.media
        ),
        tally=answer.tally,
        confirms=answer.confirms,
        usage=answer.usage,
    )


def refusal(text: InboundMessage, channel: Channel) -> ConsentChanged:
    """What a person said of consent in their own words. Scope and time are those that a STOP would have."""
    return ConsentChanged(
        id=f"consent-{text.id}",
        at=text.at,
        channel=text.channel,
        conversation=text.conversation,
        scope=channel.sender_for(text.recipient),
        contact=text.contact,
        granted=False,
        cause=ConsentCause.OWN_WORDS,
    )


def unreadable(tail: Tail, stored: Stored, *, stamp: Stamp) -> TurnDone:
    """The end of a turn over what is no text: nobody is answered, and the conversation goes on."""
    return TurnDone(
        id=stamp.id,
        at=stamp.at,
        channel="",
        conversation=topology.conversation_of(stored.subject),
        upto=stored.seq,
        first=stored.seq,
        outcome=TurnOutcome.UNREADABLE,
        sender="",
        contact="",
        expires_at=stamp.at,
        tally=tail.tally,
    )


def turn_key(texts: Sequence[Text]) -> str:
    """What a brain is told of a turn: the same while the turn is about the same texts."""
    return _digest("asked", texts[0].message.conversation, str(texts[0].seq), str(texts[-1].seq))


def _reply_key(first: Text) -> str:
    """What the ids of a turn's replies are made of, the same however many texts joined it."""
    return _digest("turn", first.message.conversation, str(first.seq))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
