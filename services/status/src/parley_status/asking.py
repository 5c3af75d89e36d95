"""When Twilio is asked for a part, and what its answer means for us. Pure: no clock, no network, no SQL.

Some carriers never give a receipt, and a status callback can be lost. So Twilio is asked after a time, then after
longer and longer ones, and in the end never again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from parley_common.events import DeliveryReport, report_id
from parley_status.delivery import RANKS, settle
from parley_status.parts import Part

MOST_ASKED = 4
"""Twelve hours, a day, two days and four days after the part was sent, where the first wait is twelve hours."""


class Told(msgspec.Struct, frozen=True):
    """Twilio's word for a message, and its error code."""

    status: str
    error_code: int | None


class Gone(msgspec.Struct, frozen=True):
    """Twilio has no such message any more."""


class Unclear(msgspec.Struct, frozen=True):
    """Twilio's answer for this one message is of no use; for others it may be."""

    reason: str


class Trouble(msgspec.Struct, frozen=True):
    """Twilio cannot be asked for anything now; ``reason`` in words for the operator."""

    reason: str


Answer = Told | Gone | Unclear | Trouble


def wait_after(asked: int, first: timedelta) -> timedelta:
    """How long to wait with the next question: since the part was sent, or since Twilio was ``asked`` last."""
    return first * (1 << max(0, asked - 1))


def asked_after(part: Part, answer: Told | Gone | Unclear) -> int:
    """How often the part counts as asked for once this was answered."""
    return MOST_ASKED if isinstance(answer, Gone) else part.asked + 1


def news(part: Part, answer: Answer, *, account_sid: str, at: datetime) -> DeliveryReport | None:
    """The answer as the status callback that never came, None where it says nothing new.

    It has the id that the callback would have had: should that come after all, it is the same report.
    """
    if not isinstance(answer, Told) or part.sid is None:
        return None
    known = () if part.status is None else (part.status,)
    if answer.status in RANKS and settle((*known, answer.status)).status == part.status:
        return None
    return DeliveryReport(
        id=report_id(part.sid, answer.status, answer.error_code),
        at=at,
        channel=part.channel,
        conversation=part.conversation,
        account_sid=account_sid,
        sid=part.sid,
        status=answer.status,
        part_id=part.part_id,
        error_code=answer.error_code,
    )
