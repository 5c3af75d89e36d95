"""When a failed request is made again, and after how long. Pure: time and chance are arguments."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from parley_brains.webhook.settings import Form

_FIRST_WAIT_S = 0.5
_MOST_WAIT_S = 5.0
_REFUSED = frozenset({429, 503})
_LOST = frozenset({502, 504})

_HINTS = {
    401: "it does not let Parley in; have both the same secret?",
    403: "it does not let Parley in; have both the same secret?",
    404: "does [webhook] url name the right path?",
    405: "does [webhook] url name the right path?",
    413: "the turn is too large for it; lower [webhook] inline_bytes",
}


class Failed(Exception):  # noqa: N818 - what became of a request, not a fault of ours
    """One request had no answer to use. ``reason``: for the operator. ``again``: another one may help.

    ``after_s``: how long the bot asked to wait. ``error``: what the span is told.
    """

    def __init__(self, reason: str, *, error: str, again: bool = False, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error
        self.again = again
        self.after_s = after_s


def may_repeat(form: Form, *, taken: bool) -> bool:
    """Whether a request may be made again. ``taken``: the bot may have begun to work on it.

    Rasa knows no turn ids, and would take the same text for another one.
    """
    return form is Form.PARLEY or not taken


def refused(status: int, retry_after: str | None, form: Form, now: datetime) -> Failed:
    """What follows from a status that is no success."""
    if 300 <= status < 400:
        hint = "redirects are not followed; write the address itself into [webhook] url"
    else:
        hint = _HINTS.get(status, "")
    again = status in _REFUSED or (status in _LOST and may_repeat(form, taken=True))
    return Failed(
        f"answered {status}" + (f": {hint}" if hint else ""),
        error=str(status),
        again=again,
        after_s=retry_after_s(retry_after, now) if again else 0.0,
    )


def retry_after_s(header: str | None, now: datetime) -> float:
    """The seconds of a Retry-After header, which holds a number or a date; 0 for one that makes no sense."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return 0.0


def wait_s(failed: Failed, tries: int, *, retries: int, left_s: float, chance: float) -> float | None:
    """How long to wait for the next request after so many; None where there is none.

    ``left_s``: until the turn must be answered. ``chance``, from 0 to 1, keeps many from coming back at once.
    """
    if not failed.again or tries > retries:
        return None
    backoff = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** (tries - 1)) * (0.5 + chance / 2)
    wait = max(backoff, failed.after_s)
    return wait if wait < left_s else None
