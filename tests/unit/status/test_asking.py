"""When Twilio is asked for a part, and what its answer is worth."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from parley_status.asking import MOST_ASKED, Gone, Told, Trouble, Unclear, asked_after, news, wait_after
from parley_status.parts import Part, fold_part, report_of, settle_part
from unit.status.samples import ACCOUNT, CHANNEL, CONVERSATION, at, report, sent, sid

FIRST = timedelta(hours=12)


def part(*statuses: str) -> Part:
    return settle_part(fold_part(None, 41, sent()), [report_of(report(status)) for status in statuses])


def test_the_questions_come_half_a_day_a_day_two_and_four_days_after_the_part() -> None:
    waits = [wait_after(asked, FIRST) for asked in range(MOST_ASKED)]
    assert [sum(waits[: n + 1], timedelta()) // timedelta(hours=1) for n in range(MOST_ASKED)] == [12, 24, 48, 96]


@pytest.mark.parametrize("answer", [Told("sent", None), Told("delivered", None), Unclear("HTTP 400")])
def test_an_answer_counts_once(answer: Told | Unclear) -> None:
    assert asked_after(part("sent"), answer) == 1
    assert asked_after(msgspec.structs.replace(part("sent"), asked=2), answer) == 3


def test_what_twilio_has_no_more_is_not_asked_for_again() -> None:
    assert asked_after(part("sent"), Gone()) == MOST_ASKED


@pytest.mark.parametrize(
    ("known", "status", "error_code"),
    [
        ((), "sent", None),
        (("sent",), "delivered", None),
        (("sent",), "undelivered", 30003),
        (("sent",), "gone fishing", None),
    ],
)
def test_news_is_the_report_that_the_callback_would_have_been(
    known: tuple[str, ...], status: str, error_code: int | None
) -> None:
    event = news(part(*known), Told(status, error_code), account_sid=ACCOUNT, at=at(90))
    assert event is not None
    assert event.id == f"{sid()}-{status}-{error_code or 0}"
    assert (event.status, event.error_code, event.at) == (status, error_code, at(90))
    assert (event.sid, event.part_id, event.account_sid) == (sid(), "part-0", ACCOUNT)
    assert (event.channel, event.conversation) == (CHANNEL, CONVERSATION)


@pytest.mark.parametrize("answer", [Told("sent", None), Told("queued", None), Gone(), Unclear("x"), Trouble("x")])
def test_what_changes_nothing_is_no_news(answer: Told | Gone | Unclear | Trouble) -> None:
    assert news(part("sent"), answer, account_sid=ACCOUNT, at=at(90)) is None
