"""What came of a POST to Twilio: a closed set that says whether the text exists and what follows. Pure.

Twilio's codes are translated here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from parley_common.events import FailureClass


@dataclass(frozen=True, kw_only=True)
class Created:
    """Twilio has the part."""

    sid: str
    status: str


@dataclass(frozen=True, kw_only=True)
class NotSent:
    """Twilio does not have the part, for certain. ``final``: trying again would not help."""

    failure: FailureClass
    final: bool
    reason: str
    code: int | None = None


@dataclass(frozen=True, kw_only=True)
class InDoubt:
    """Nobody knows whether Twilio has the part: evidence first."""

    reason: str


Outcome = Created | NotSent | InDoubt


_F = FailureClass

_CLASSES: dict[FailureClass, tuple[str, tuple[int, ...]]] = {
    _F.THROTTLED: (
        "Twilio is asked too much at once; it is tried again",
        (20429, 21611, 63017, 63018),
    ),
    _F.OPTED_OUT: (
        "the person said STOP to this sender; nothing is sent until they text START",
        (21610, 63024, 63033),
    ),
    _F.RECIPIENT: (
        "this address cannot receive the text; check the number",
        (21211, 21265, 21266, 21612, 21614, 21635, 63003, 63015),
    ),
    _F.CONTENT: (
        "Twilio does not accept this content; change the text or its media",
        (21601, 21602, 21604, 21609, 21617, 21619, 21620, 21623, 21624, 21654, 21655, 21656, 63005, 63006, 63013),
    ),
    _F.CONFIGURATION: (
        "the sender or account is not set up for this; see the code in Twilio's documentation",
        (
            20003, 20404, 21212, 21267, 21408, 21603, 21606, 21608, 21659, 21660, 21661,
            21701, 21703, 21704, 30018, 30024, 30032, 30033, 30034, 30035, 63001, 63002, 63007, 63008, 63020,
        ),
    ),
    _F.ACCOUNT: ("the Twilio account is suspended or out of funds", (20005, 30002, 30037)),
    _F.QUOTA: ("a daily limit of the account or campaign is reached", (30023, 30027, 30044, 30454, 63038)),
    _F.FRAUD_BLOCK: ("Twilio blocks this destination against fraud for a while", (30450, 30453, 30485)),
    _F.LOOP_GUARD: ("too many replies between two numbers in 30 s: a loop of two bots?", (14107,)),
    _F.SCHEDULE: ("not allowed at this hour at the recipient's place", (30610,)),
    _F.TRANSIENT_DELIVERY: (
        "the carrier has trouble; it may work later",
        (30003, 30008, 30017, 30022, 30410, 30500),
    ),
}  # fmt: skip

_BY_CODE = {code: (failure, reason) for failure, (reason, codes) in _CLASSES.items() for code in codes}

_TOO_MANY_REQUESTS = 429
_TRIED_AGAIN = frozenset({_F.THROTTLED, _F.UNREACHABLE})


def refused(status: int, code: int | None) -> Outcome:
    """The outcome of an answer that is an error: its HTTP status and Twilio's code, None where there was none.

    A 429 without Twilio's own code may come from something on the way, after Twilio took the text: in doubt. So
    is every 5xx. A 4xx with a code was not processed.
    """
    if status >= 500 or code is None:
        return InDoubt(reason=f"HTTP {status}")
    known = (
        _BY_CODE[20429] if status == _TOO_MANY_REQUESTS else (_F.UNKNOWN, f"Twilio refused it with HTTP {status}")
    )
    failure, reason = _BY_CODE.get(code, known)
    return NotSent(failure=failure, final=failure not in _TRIED_AGAIN, reason=reason, code=code)


def unreachable(reason: str) -> NotSent:
    """The connection was refused before a byte of the request left."""
    return NotSent(failure=_F.UNREACHABLE, final=False, reason=reason)
