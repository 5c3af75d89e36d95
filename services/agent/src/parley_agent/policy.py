"""Who is answered, before any brain is asked. Pure.

Nobody is by default. A text the policy keeps from the brain still ends its turn, so that it is dealt with once.
"""

from __future__ import annotations

from parley_common.channels import Channel
from parley_common.events import InboundMessage, TurnOutcome


def silence(text: InboundMessage, channel: Channel) -> TurnOutcome | None:
    """Why this text gets no answer, None where the person may be answered."""
    if channel.owns(text.contact):
        return TurnOutcome.ECHO
    if text.keyword is not None:
        return TurnOutcome.KEYWORD
    if not (channel.allows(text.contact) and channel.reaches(text.contact)):
        return TurnOutcome.NOT_ALLOWED
    return None
