"""What policy asks of a single text: whose it is, and what the person wants of us rather than of the brain. Pure.

Which of these counts first stands in ``rulings``.
"""

from __future__ import annotations

from parley_brains.agent_file import Handoff
from parley_brains.answering import is_one_of
from parley_common.channels import Channel
from parley_common.domain.refusals import is_refusal
from parley_common.events import InboundMessage, Keyword, Tally


def may_be_answered(text: InboundMessage, channel: Channel) -> bool:
    """Whether this person is one to be answered at all. Nobody is by default."""
    return channel.allows(text.contact) and channel.reaches(text.contact)


def refuses(text: InboundMessage) -> bool:
    """Whether the person says in words of their own what Twilio knows as STOP."""
    return text.keyword is None and is_refusal(text.body)


def wants_help(text: InboundMessage) -> bool:
    """Whether HELP is ours to answer: not where Twilio's Advanced Opt-Out did.

    Its log does not tell whether it did, so a text that was found there has been answered for all we know.
    """
    return text.keyword is Keyword.HELP and not text.answered_by_twilio and not text.backfilled


def asks_for_person(text: InboundMessage, handoff: Handoff) -> bool:
    """Whether the whole text is one of the words by which people ask for a person."""
    return is_one_of(text.body, handoff.words)


def asks_for_brain(text: InboundMessage, handoff: Handoff) -> bool:
    """Whether the whole text is one of the words that bring the brain back, where people can ask for a person."""
    return bool(handoff.words) and is_one_of(text.body, handoff.back_words)


def is_with_staff(tally: Tally) -> bool:
    """Whether a member of staff has the conversation, not only somebody asked for one."""
    return tally.taken is not None and bool(tally.taken.by)


def may_hand_back(text: InboundMessage, handoff: Handoff, tally: Tally) -> bool:
    """Whether the text brings the brain back to a conversation that waits for a person.

    They may say so as long as only they, or the brain, asked for a person. Where a member of staff has taken the
    conversation, it is theirs to hand back: they know why they came, and nobody wants two voices at once.
    """
    waits = tally.taken is not None and not is_with_staff(tally)
    return waits and is_one_of(text.body, handoff.back_words)
