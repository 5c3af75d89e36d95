"""The words carriers and Twilio act on by themselves: STOP, START and HELP in their default spellings.

A keyword is the whole message: one word in any case, with nothing around it but white space. "STOP." and "stop
please" are none. Twilio documents only that single-word messages count; it does not say that it looks past
punctuation, and to take more than Twilio takes would record a block that Twilio does not know, or, for START,
lift one that it still keeps. A refusal in other words is for the agent's policy to find, not for this module.
White space is dropped because handsets add it. Only ASCII letters count: "ſtop" and "unsubscrıbe" are no keywords.
Words that an operator set up in Twilio's Advanced Opt-Out are told by the webhook's ``OptOutType``.
"""

from __future__ import annotations

from parley_common.events import Keyword

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
TOLL_FREE_START_WORDS = frozenset({"START", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})


def classify_keyword(body: str, *, toll_free: bool = False) -> Keyword | None:
    """What a message asks of Twilio, or None. To a toll-free number YES does not opt in: its carrier decides."""
    word = body.strip()
    if not word.isascii():
        return None
    word = word.upper()
    if word in STOP_WORDS:
        return Keyword.STOP
    if word in (TOLL_FREE_START_WORDS if toll_free else START_WORDS):
        return Keyword.START
    return Keyword.HELP if word in HELP_WORDS else None
