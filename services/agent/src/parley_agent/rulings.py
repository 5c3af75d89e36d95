"""How a turn ends without its brain: by policy, by its age, by what the conversation has had already. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parley_agent import allowance
from parley_agent.lateness import Moment, Standing, standing, standing_of
from parley_agent.policy import silence
from parley_brains.agent_file import AgentFile
from parley_common.channels import Channel
from parley_common.events import InboundMessage, Media, Tally, TurnOutcome, Usage


@dataclass(frozen=True)
class Draft:
    """One message of an answer: Markdown, and what goes with it."""

    text: str
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a turn ends: its outcome, the messages, the tally then, and why it is a dead letter where it is one.

    ``confirms``: the change of consent that the messages confirm. ``usage``: what a model took.
    """

    outcome: TurnOutcome
    tally: Tally
    messages: tuple[Draft, ...] = ()
    dead_because: str | None = None
    confirms: str = ""
    usage: Usage | None = None


def kind(text: InboundMessage, channel: Channel, moment: Moment) -> TurnOutcome | Standing:
    """What sort of text this is: why it is met with silence, or how it stands. Only alike texts are one turn."""
    return silence(text, channel) or standing(text, moment)


def ruling(
    texts: Sequence[InboundMessage], channel: Channel, tally: Tally, moment: Moment, words: AgentFile
) -> Answer | None:
    """The end of a turn over these texts, None where the brain is to be asked."""
    quiet = silence(texts[0], channel)
    if quiet is not None:
        return Answer(outcome=quiet, tally=tally)
    match standing_of(texts, moment):
        case Standing.UNKNOWN:
            return Answer(outcome=TurnOutcome.LATE, tally=tally)
        case Standing.LATE:
            return _late(tally, moment, words.apology)
    match allowance.refusal(
        tally, moment.now, daily_answers=channel.daily_answers, daily_tokens=words.daily_tokens
    ):
        case TurnOutcome.CAPPED:
            return _capped(tally, moment, words.capped)
        case TurnOutcome() as refused:
            return Answer(outcome=refused, tally=tally)
    return None


def _late(tally: Tally, moment: Moment, apology: str) -> Answer:
    if not apology.strip() or not allowance.owes_apology(tally, moment.now):
        return Answer(outcome=TurnOutcome.LATE, tally=tally)
    tally = allowance.after_apology(tally, moment.now)
    return Answer(outcome=TurnOutcome.LATE, tally=tally, messages=(Draft(apology),))


def _capped(tally: Tally, moment: Moment, notice: str) -> Answer:
    if not notice.strip() or not allowance.owes_notice(tally, moment.now):
        return Answer(outcome=TurnOutcome.CAPPED, tally=tally)
    tally = allowance.after_notice(tally, moment.now)
    return Answer(outcome=TurnOutcome.CAPPED, tally=tally, messages=(Draft(notice),))
