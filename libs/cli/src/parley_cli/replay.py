"""``parley dead-letters replay``: has a dead letter's message processed again, once.

A text is published again, and the agent answers it anew. Messages that egress could not read are published again,
unless any of them may have been sent or may still be. What status could not fold it is asked to fold again. Only
then is the letter closed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from parley_cli import words
from parley_cli.broker import ANSWER_WITHIN_S, ask
from parley_cli.letters import Letter, read_event, read_message
from parley_cli.words import Refused
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.events import (
    DeadLetter,
    InboundMessage,
    LetterReplayed,
    OutboundMessage,
    Outgoing,
    PartAttempted,
    PartEvent,
    PartSent,
    Priority,
    TurnDone,
    TurnOutcome,
)
from parley_common.lanes import LANES, Lane, find_lane, lane_of
from parley_common.requests import REPLAY, Answer, ReplayRequest

STATUS = "status"
REPLY_EXPIRY = timedelta(hours=1)

_TEXT = re.compile(r"conv\.[^.]+\.in")
_OF_LETTER = 8


async def replay(bus: Bus, one: Letter, now: datetime | None = None) -> str:
    """Has it processed again, closes the letter, says what was done; raises ``Refused`` and leaves it open."""
    if not one.is_open:
        raise Refused(f"letter {one.id[:12]} was replayed on {words.at(one.replayed_at or one.letter.at)} already")
    said = await _process(bus, one.letter, now or datetime.now(UTC))
    closed = LetterReplayed(
        id=f"{one.id}-replayed-{int(one.letter.at.timestamp())}",
        at=max(datetime.now(UTC), one.letter.at),
        channel=one.letter.channel,
        conversation=one.letter.conversation,
        letter=one.id,
    )
    await bus.publish(topology.REPLAYED, closed, dedupe=True)
    return said


async def _process(bus: Bus, letter: DeadLetter, now: datetime) -> str:
    if letter.service == STATUS:
        return await _fold_again(bus, letter)
    stored = await read_message(bus, letter)
    if stored is None:
        raise Refused(f"{_place(letter)} is not in the stream any more: there is nothing to process again")
    if _TEXT.fullmatch(letter.subject):
        return await _answer_again(bus, letter, now)
    if find_lane(letter.subject) is not None:
        return await _send_again(bus, letter, stored, now)
    raise Refused(f"{_place(letter)} ({letter.subject}) is nothing that can be processed again")


async def _fold_again(bus: Bus, letter: DeadLetter) -> str:
    request = ReplayRequest(stream=letter.stream, sequence=letter.sequence)
    answer = await ask(bus, REPLAY, request, Answer, service=STATUS, within_s=ANSWER_WITHIN_S)
    if not answer.ok:
        raise Refused(answer.words)
    return answer.words


async def _answer_again(bus: Bus, letter: DeadLetter, now: datetime) -> str:
    """All texts of the turn that failed go in again, each under a name that is stored once a day."""
    done = await _turn_over(bus, letter)
    if done.outcome is TurnOutcome.ANSWERED:
        return f"{_place(letter)} was answered after all"
    texts = await _texts(bus, letter, done)
    for text in texts:
        again = msgspec.structs.replace(text, id=f"{text.id}-replay-{letter.id[:_OF_LETTER]}", at=now)
        await bus.publish(letter.subject, again, dedupe=True)
    return f"{_place(letter)}: {words.counted(len(texts), 'text')} in again, the agent answers anew"


async def _turn_over(bus: Bus, letter: DeadLetter) -> TurnDone:
    """The end of the turn that the text is in."""
    subject, seq = topology.turn_done(topology.conversation_of(letter.subject)), letter.sequence + 1
    while (stored := await bus.next(subject, seq=seq)) is not None:
        event = read_event(stored)
        if isinstance(event, TurnDone) and event.upto >= letter.sequence:
            return event
        seq = stored.seq + 1
    raise Refused(f"the agent is not done with {_place(letter)}: wait until its turn has ended")


async def _texts(bus: Bus, letter: DeadLetter, done: TurnDone) -> list[InboundMessage]:
    found: list[InboundMessage] = []
    seq = min(done.first, letter.sequence)
    while (stored := await bus.next(letter.subject, seq=seq)) is not None and stored.seq <= done.upto:
        event = read_event(stored)
        if not isinstance(event, InboundMessage):
            raise Refused(
                f"{letter.stream} {stored.seq} still cannot be read as a text: try again with a release that can"
            )
        found.append(event)
        seq = stored.seq + 1
    return found


async def _send_again(bus: Bus, letter: DeadLetter, stored: Stored, now: datetime) -> str:
    event = read_event(stored)
    if not isinstance(event, TurnDone | OutboundMessage):
        raise Refused(f"{_place(letter)} still cannot be read: try again with a release that can")
    if not event.messages:
        return f"{_place(letter)} says nothing, so there is nothing to send"
    await _refuse_sent(bus, letter, event)
    await _refuse_sendable(bus, letter, event, now)
    again = OutboundMessage(
        id=f"{event.id}-replay-{letter.id[:_OF_LETTER]}",
        at=now,
        channel=event.channel,
        conversation=event.conversation,
        sender=event.sender,
        contact=event.contact,
        expires_at=now + REPLY_EXPIRY,
        messages=event.messages,
        priority=event.priority if isinstance(event, OutboundMessage) else Priority.REPLY,
    )
    await bus.publish(topology.outbound(event.conversation, again.priority), again, dedupe=True)
    return f"{_place(letter)}: handed to egress again, sent until {words.at(again.expires_at)} or not at all"


async def _refuse_sent(bus: Bus, letter: DeadLetter, event: Outgoing) -> None:
    """Whatever was attempted may be on the phone."""
    ours = {message.id for message in event.messages}
    for part in await _parts(bus, letter, LANES):
        if isinstance(part, PartAttempted | PartSent) and part.message_id in ours:
            raise Refused(
                f"a part of {_place(letter)} was sent or attempted already: text the person what is missing by "
                "yourself"
            )


async def _refuse_sendable(bus: Bus, letter: DeadLetter, event: Outgoing, now: datetime) -> None:
    """An egress that can read the message sends it by itself while it neither expired nor was passed over."""
    if event.expires_at <= now:
        return
    if any(part.slot.turn > letter.sequence for part in await _parts(bus, letter, (lane_of(letter.subject),))):
        return
    raise Refused(
        f"egress may still send {_place(letter)} by itself: replay it after {words.at(event.expires_at)}, when it "
        "has expired"
    )


async def _parts(bus: Bus, letter: DeadLetter, lanes: Sequence[Lane]) -> Sequence[PartEvent]:
    """The conversation's sends since the message, on these lanes."""
    conversation = topology.conversation_of(letter.subject)
    found: list[PartEvent] = []
    for lane in lanes:
        seq = letter.sequence
        while (stored := await bus.next(lane.chain(conversation), seq=seq)) is not None:
            event = read_event(stored)
            if not isinstance(event, PartEvent):
                raise Refused(
                    f"{letter.stream} {stored.seq} cannot be read: replay with the release that wrote it"
                )
            found.append(event)
            seq = stored.seq + 1
    return found


def _place(letter: DeadLetter) -> str:
    return f"{letter.stream} {letter.sequence}"
