"""Who has said STOP, by Twilio's default keywords.

Keeps the block list of every sender (a number, or a Messaging Service for all its numbers) and says
which automatic answer a keyword gets. Sends nothing itself.
"""

from enum import StrEnum

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
TOLL_FREE_START_WORDS = frozenset({"START", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})


class Keyword(StrEnum):
    """What a text asks of the opt-out service, as in the form field OptOutType."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"


ANSWERS: dict[Keyword, str] = {
    Keyword.STOP: (
        "You have successfully been unsubscribed. You will not receive any more messages from this "
        "number. Reply START to resubscribe."
    ),
    Keyword.START: (
        "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
        "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
    ),
    Keyword.HELP: "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def read_keyword(body: str, *, toll_free: bool = False) -> Keyword | None:
    """Return the keyword that is the whole text, in any case; "stop please" is none."""
    word = body.strip().upper()
    if word in STOP_WORDS:
        return Keyword.STOP
    if word in (TOLL_FREE_START_WORDS if toll_free else START_WORDS):
        return Keyword.START
    return Keyword.HELP if word in HELP_WORDS else None


class BlockList:
    """The people each sender may not text."""

    def __init__(self) -> None:
        self._blocked: set[tuple[str, str]] = set()

    def blocks(self, sender: str, person: str) -> bool:
        """Whether this person said STOP to this sender."""
        return (sender, person) in self._blocked

    def hear(self, sender: str, person: str, keyword: Keyword) -> str | None:
        """Take note of a keyword; return the automatic answer, or None when it changes nothing."""
        known = self.blocks(sender, person)
        if keyword is Keyword.STOP:
            self._blocked.add((sender, person))
            return None if known else ANSWERS[keyword]
        if keyword is Keyword.START:
            self._blocked.discard((sender, person))
            return ANSWERS[keyword] if known else None
        return ANSWERS[keyword]

    def clear(self) -> None:
        """Forget every STOP."""
        self._blocked.clear()
