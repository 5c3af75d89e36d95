"""How a turn ends without its brain. Pure: this is the one place that says which rule counts before which.

The order, from the first to the last:

1.  ``ECHO``: a text from a number of ours.
2.  ``KEYWORD``: STOP, START, HELP. Only HELP is answered, where the channel has a text for it and Twilio none.
3.  ``REFUSED``: no more texts, in the person's own words. It counts from anybody, at any age, amid any burst.
4.  ``TAKEN``: a member of staff answers here, whoever it is that texts.
5.  ``NOT_ALLOWED``: not on the list, or of a country that is not served.
6.  ``HANDED_BACK``: who asked for a person wants the brain again.
7.  ``TAKEN``: a person was asked for, and nobody has come yet.
8.  ``NOT_STARTED``: people may not start a conversation, and we never texted this one.
9.  ``LATE``, in silence: perhaps answered before a restore.
10. ``OFFLINE``: nobody is answered now, and told so once a day.
11. ``LATE``: too old, excused once a day.
12. ``LOOP``: too many messages in a row.
13. ``HANDED_OVER``: the person asks for a person.
14. ``HANDED_BACK``: the person wants the brain, which they have.
15. ``CAPPED``: the day's answers or tokens are used up, told once a day.
16. ``OPTED_OUT``: they want no more texts, by a STOP or in their own words, and would not get the answer.

What passes all of them is for the brain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from parley_agent import allowance
from parley_agent.lateness import Moment, Standing, standing, standing_of
from parley_agent.policy import (
    asks_for_brain,
    asks_for_person,
    is_with_staff,
    may_be_answered,
    may_hand_back,
    refuses,
    wants_help,
)
from parley_brains.agent_file import AgentFile, Handoff
from parley_common.channels import Channel
from parley_common.events import InboundMessage, Media, Taken, Tally, TurnOutcome, Usage


@dataclass(frozen=True)
class Draft:
    """One message of an answer: Markdown, and what goes with it."""

    text: str
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a turn ends: its outcome, the messages, the tally then, and why it is a dead letter where it is one.

    ``refusal``: the text that wants no more texts. ``confirms``: the change of consent that the messages confirm.
    ``usage``: what a model took.
    """

    outcome: TurnOutcome
    tally: Tally
    messages: tuple[Draft, ...] = ()
    dead_because: str | None = None
    refusal: InboundMessage | None = None
    confirms: str = ""
    usage: Usage | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """What rules look at beside the texts.

    ``known``: we texted this person before, or answered them. ``opted_out``: they want no more texts, which is
    looked up only where all else would have the brain asked.
    """

    channel: Channel
    tally: Tally
    moment: Moment
    file: AgentFile
    known: bool = True
    opted_out: bool = False


def kind(text: InboundMessage, case: Case) -> TurnOutcome | Standing:
    """What sort of text this is by itself: which rule ends its turn, or how old it is."""
    channel, tally = case.channel, case.tally
    if channel.owns(text.contact):
        return TurnOutcome.ECHO
    if text.keyword is not None:
        return TurnOutcome.KEYWORD
    if refuses(text):
        return TurnOutcome.REFUSED
    if is_with_staff(tally):
        return TurnOutcome.TAKEN
    if not may_be_answered(text, channel):
        return TurnOutcome.NOT_ALLOWED
    if may_hand_back(text, case.file.handoff, tally):
        return TurnOutcome.HANDED_BACK
    if tally.taken is not None:
        return TurnOutcome.TAKEN
    if not (channel.people_may_start or case.known):
        return TurnOutcome.NOT_STARTED
    return standing(text, case.moment)


def joins(text: InboundMessage, first: TurnOutcome | Standing, case: Case) -> bool:
    """Whether a text belongs into the turn of one of that kind: only alike texts are one turn.

    A refusal joins what would have been answered, so that nothing is answered after it.
    """
    found = kind(text, case)
    return found is first or (first is Standing.FRESH and found is TurnOutcome.REFUSED)


def ruling(texts: Sequence[InboundMessage], case: Case) -> Answer | None:
    """The end of a turn over these texts, None where the brain is to be asked."""
    refusal = next((text for text in texts if kind(text, case) is TurnOutcome.REFUSED), None)
    if refusal is not None:
        return _refused(refusal, case)
    match kind(texts[0], case):
        case TurnOutcome.KEYWORD:
            return _keyword(texts[0], case)
        case TurnOutcome.HANDED_BACK:
            return _handed_back(texts[0], case)
        case TurnOutcome() as outcome:
            return Answer(outcome=outcome, tally=case.tally)
    return _by_conversation(texts, case)


def settled(tally: Tally, now: datetime) -> Tally:
    """The tally without what has run out: who took a conversation and never came back holds it no longer."""
    if tally.taken is None or tally.taken.until > now:
        return tally
    return msgspec.structs.replace(tally, taken=None)


def handed_over(tally: Tally, handoff: Handoff, now: datetime) -> Tally:
    """The tally of a conversation that waits for a person."""
    until = now + timedelta(hours=handoff.back_after_h)
    return msgspec.structs.replace(tally, taken=Taken(at=now, until=until))


def _by_conversation(texts: Sequence[InboundMessage], case: Case) -> Answer | None:
    tally, file, now = case.tally, case.file, case.moment.now
    found = standing_of(texts, case.moment)
    if found is Standing.UNKNOWN:
        return Answer(outcome=TurnOutcome.LATE, tally=tally)
    if case.channel.offline:
        return _offline(case)
    if found is Standing.LATE:
        return _late(case)
    if allowance.loops(tally, now):
        return Answer(outcome=TurnOutcome.LOOP, tally=tally)
    if any(asks_for_person(text, file.handoff) for text in texts):
        tally = handed_over(tally, file.handoff, now)
        return _with(TurnOutcome.HANDED_OVER, allowance.after_words(tally, now), file.handoff.reply)
    if file.handoff.back_reply.strip() and all(asks_for_brain(text, file.handoff) for text in texts):
        return _with(TurnOutcome.HANDED_BACK, allowance.after_words(tally, now), file.handoff.back_reply)
    if allowance.is_used_up(tally, now, daily_answers=case.channel.daily_answers, daily_tokens=file.daily_tokens):
        return _capped(case)
    if case.opted_out:
        return Answer(outcome=TurnOutcome.OPTED_OUT, tally=tally)
    return None


def _refused(text: InboundMessage, case: Case) -> Answer:
    """Recorded from anybody; confirmed to whom we would have answered, and once."""
    answer = Answer(outcome=TurnOutcome.REFUSED, tally=case.tally)
    if may_be_answered(text, case.channel) and _may_speak(text, case):
        tally = allowance.after_words(case.tally, case.moment.now)
        answer = _with(TurnOutcome.REFUSED, tally, case.file.refused)
    return replace(answer, refusal=text)


def _keyword(text: InboundMessage, case: Case) -> Answer:
    silent = Answer(outcome=TurnOutcome.KEYWORD, tally=case.tally)
    if not (wants_help(text) and may_be_answered(text, case.channel) and _may_speak(text, case)):
        return silent
    tally = allowance.after_words(case.tally, case.moment.now)
    return _with(TurnOutcome.KEYWORD, tally, case.channel.help_text) if case.channel.help_text.strip() else silent


def _handed_back(text: InboundMessage, case: Case) -> Answer:
    tally = msgspec.structs.replace(case.tally, taken=None)
    if case.channel.offline or not _may_speak(text, case):
        return Answer(outcome=TurnOutcome.HANDED_BACK, tally=tally)
    tally = allowance.after_words(tally, case.moment.now)
    return _with(TurnOutcome.HANDED_BACK, tally, case.file.handoff.back_reply)


def _may_speak(text: InboundMessage, case: Case) -> bool:
    """Nothing is said to an old text, nor into a loop."""
    fresh = standing(text, case.moment) is Standing.FRESH
    return fresh and not allowance.loops(case.tally, case.moment.now)


def _late(case: Case) -> Answer:
    tally, now, apology = case.tally, case.moment.now, case.file.apology
    if not apology.strip() or not allowance.owes_apology(tally, now):
        return Answer(outcome=TurnOutcome.LATE, tally=tally)
    return _with(TurnOutcome.LATE, allowance.after_apology(tally, now), apology)


def _offline(case: Case) -> Answer:
    tally, now, words = case.tally, case.moment.now, case.channel.offline_text
    if not words.strip() or not allowance.owes_offline(tally, now):
        return Answer(outcome=TurnOutcome.OFFLINE, tally=tally)
    return _with(TurnOutcome.OFFLINE, allowance.after_offline(tally, now), words)


def _capped(case: Case) -> Answer:
    tally, now, notice = case.tally, case.moment.now, case.file.capped
    if not notice.strip() or not allowance.owes_notice(tally, now):
        return Answer(outcome=TurnOutcome.CAPPED, tally=tally)
    return _with(TurnOutcome.CAPPED, allowance.after_notice(tally, now), notice)


def _with(outcome: TurnOutcome, tally: Tally, words: str) -> Answer:
    messages = (Draft(words),) if words.strip() else ()
    return Answer(outcome=outcome, tally=tally, messages=messages)
