"""What came of a POST to Twilio: a closed set that says whether the text exists and what follows. Pure.

Twilio's codes are translated here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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
    """Nobody knows whether Twilio has the part: evidence first. ``status``: of HTTP, None without an answer."""

    reason: str
    status: int | None = None


Outcome = Created | NotSent | InDoubt


class Action(StrEnum):
    """What follows a failure."""

    RETRY = "retry"
    """Tried again with growing waits."""
    HOLD = "hold"
    """The conversation waits for a fixed time, then it is tried again."""
    STOP_ACCOUNT = "stop_account"
    """Every other text would fail too: the account is left in peace and probed, all its texts are held."""
    SUPPRESS = "suppress"
    """Not sent, and nothing is sent to this person until they text START."""
    GIVE_UP = "give_up"
    """Not sent; its reason is shown to the operator."""


@dataclass(frozen=True)
class Consequence:
    """An action. ``hold_s``: how long the conversation waits, after a refusal for ``HOLD``, after a delivery that
    failed with such a code always.
    """

    action: Action
    hold_s: float = 0.0


_F = FailureClass

ACTIONS: Mapping[FailureClass, Consequence] = {
    _F.THROTTLED: Consequence(Action.RETRY, 60.0),
    _F.UNREACHABLE: Consequence(Action.RETRY),
    _F.TRANSIENT_DELIVERY: Consequence(Action.HOLD, 60.0),
    _F.LOOP_GUARD: Consequence(Action.HOLD, 60.0),
    _F.FRAUD_BLOCK: Consequence(Action.HOLD, 1_800.0),
    _F.QUOTA: Consequence(Action.HOLD, 900.0),
    _F.SCHEDULE: Consequence(Action.HOLD, 900.0),
    _F.ACCOUNT: Consequence(Action.STOP_ACCOUNT),
    _F.OPTED_OUT: Consequence(Action.SUPPRESS),
    _F.RECIPIENT: Consequence(Action.GIVE_UP),
    _F.CONTENT: Consequence(Action.GIVE_UP),
    _F.CONFIGURATION: Consequence(Action.GIVE_UP),
    _F.EXPIRED: Consequence(Action.GIVE_UP),
    _F.NOT_ALLOWED: Consequence(Action.GIVE_UP),
    _F.SPEND_CAP: Consequence(Action.GIVE_UP),
    _F.UNDECIDED: Consequence(Action.GIVE_UP),
    _F.UNKNOWN: Consequence(Action.GIVE_UP),
}
"""What each class asks for. A hold that is longer than a reply keeps lets it expire."""

_CLASSES: dict[FailureClass, tuple[str, tuple[int, ...]]] = {
    _F.THROTTLED: (
        "Twilio is asked too much at once; it is tried again",
        (20429, 21611, 30001, 30022, 63017, 63018),
    ),
    _F.OPTED_OUT: (
        "the person said STOP to this sender; nothing is sent until they text START",
        (21610, 63024, 63033),
    ),
    _F.RECIPIENT: (
        "this address cannot receive the text; check the number",
        (
            21211, 21265, 21266, 21612, 21614, 21635, 30004, 30005, 30006,
            63003, 63015, 63032, 63049,
        ),
    ),
    _F.CONTENT: (
        "Twilio or the carrier does not accept this content; change the text or its media",
        (
            11751, 14109, 21601, 21602, 21604, 21609, 21617, 21619, 21620, 21623, 21624, 21654, 21655, 21656,
            30007, 30011, 30019, 63005, 63006, 63013, 63016, 63021, 63026, 63027, 63028, 63030,
            63040, 63041, 63042,
        ),
    ),
    _F.CONFIGURATION: (
        "the sender is not set up for this; see the code in Twilio's documentation",
        (
            20404, 21212, 21267, 21408, 21603, 21606, 21608, 21659, 21660, 21661, 21701, 21703, 21704,
            30018, 30024, 30032, 30033, 30034, 30035, 30040, 30041, 30042,
            63001, 63002, 63007, 63008, 63020, 63051,
        ),
    ),
    _F.ACCOUNT: (
        "Twilio refuses the whole account: check its credentials, funds and standing in the Console",
        (20003, 20005, 30002, 30037),
    ),
    _F.QUOTA: ("a daily limit of the account or campaign is reached", (30023, 30027, 30044, 30454, 63038)),
    _F.FRAUD_BLOCK: ("Twilio blocks this destination against fraud for a while", (30450, 30453, 30485)),
    _F.LOOP_GUARD: ("too many replies between two numbers in 30 s: a loop of two bots?", (14107,)),
    _F.SCHEDULE: ("not allowed at this hour at the recipient's place", (30610,)),
    _F.EXPIRED: ("Twilio could not send it in time", (30036,)),
    _F.TRANSIENT_DELIVERY: (
        "the carrier has trouble; it may work later",
        (30003, 30008, 30017, 30410, 30500, 63009, 63010, 63012, 63019),
    ),
}  # fmt: skip

_BY_CODE = {code: (failure, reason) for failure, (reason, codes) in _CLASSES.items() for code in codes}

_TOO_MANY_REQUESTS = 429
_OVER = frozenset({Action.SUPPRESS, Action.GIVE_UP})


def refused(status: int, code: int | None) -> Outcome:
    """The outcome of an answer that is an error: its HTTP status and Twilio's code, None where there was none.

    A 429 without Twilio's own code may come from something on the way, after Twilio took the text: in doubt. So
    is every 5xx. A 4xx with a code was not processed.
    """
    if status >= 500 or code is None:
        return InDoubt(reason=f"HTTP {status}", status=status)
    known = (
        _BY_CODE[20429] if status == _TOO_MANY_REQUESTS else (_F.UNKNOWN, f"Twilio refused it with HTTP {status}")
    )
    failure, reason = _BY_CODE.get(code, known)
    return NotSent(failure=failure, final=is_over(failure), reason=reason, code=code)


def unreachable(reason: str) -> NotSent:
    """The connection was refused before a byte of the request left."""
    return NotSent(failure=_F.UNREACHABLE, final=False, reason=reason)


def is_over(failure: FailureClass) -> bool:
    """Whether nothing more is tried after this failure."""
    return ACTIONS[failure].action in _OVER


def hold_after(failure: FailureClass) -> float:
    """For how many seconds the conversation waits after Twilio refused a text so."""
    return ACTIONS[failure].hold_s if ACTIONS[failure].action is Action.HOLD else 0.0


def hold_after_code(code: int | None) -> float:
    """The same for a text that Twilio took and then reported as failed with this code."""
    return ACTIONS[_BY_CODE[code][0]].hold_s if code in _BY_CODE else 0.0
