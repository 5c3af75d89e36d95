"""When a part counts as having come to its end, and how long that took."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from parley_status.endings import COUNTED_FOR, FINAL, Change
from parley_status.parts import Part, fold_part, report_of, settle_part
from unit.status.samples import at, attempted, report, sent

TAKEN_AT = at(4)


def part(*statuses: str, sent_at: datetime | None = TAKEN_AT, ended_s: float = 9.0) -> Part:
    """A part of which Twilio has said all this."""
    row = fold_part(fold_part(None, 40, attempted()), 41, sent())
    row = settle_part(row, [report_of(report(status, second=ended_s)) for status in statuses])
    return msgspec.structs.replace(row, sent_at=sent_at)


def change(before: Part | None, after: Part) -> Change:
    return Change(before=before, after=after, at=at(9))


@pytest.mark.parametrize("status", FINAL)
def test_the_first_final_status_is_the_end(status: str) -> None:
    assert change(part("sent"), part("sent", status)).has_ended
    assert change(None, part(status)).has_ended


@pytest.mark.parametrize("status", ["accepted", "queued", "sending", "sent", "scheduled"])
def test_no_other_status_is(status: str) -> None:
    assert not change(None, part(status)).has_ended


@pytest.mark.parametrize(
    ("before", "after"),
    [(("delivered",), ("delivered", "read")), (("failed",), ("failed", "delivered")), (("failed",), ("failed",))],
)
def test_what_follows_the_end_is_none(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    assert not change(part(*before), part(*after)).has_ended


@pytest.mark.parametrize(
    ("status", "has_failed"),
    [("delivered", False), ("read", False), ("failed", True), ("undelivered", True), ("canceled", True)],
)
def test_a_failure_is_an_end_without_arrival(status: str, has_failed: bool) -> None:
    assert change(part("sent"), part(status)).has_failed is has_failed


def test_a_contradiction_counts_when_it_appears() -> None:
    one, both = part("failed"), part("failed", "delivered")
    assert change(one, both).contradicts
    assert change(None, both).contradicts
    assert not change(both, both).contradicts
    assert not change(None, one).contradicts


def test_it_took_from_twilios_yes_to_the_end() -> None:
    assert change(None, part("delivered", sent_at=at(4), ended_s=9.0)).took_s == 5.0


def test_where_the_end_was_known_before_the_yes_the_attempt_counts() -> None:
    assert attempted().at == at(3)
    assert change(None, part("delivered", sent_at=at(20), ended_s=9.0)).took_s == 6.0
    assert change(None, part("delivered", sent_at=None, ended_s=9.0)).took_s == 6.0
    assert change(None, part("delivered", sent_at=None, ended_s=1.0)).took_s == 0.0


def test_without_an_end_nothing_took_any_time() -> None:
    assert change(None, msgspec.structs.replace(part("delivered"), status_at=None)).took_s is None


def test_only_what_is_young_is_news() -> None:
    news = change(None, part("delivered"))
    assert news.is_news(at(9))
    assert news.is_news(at(9) + COUNTED_FOR - timedelta(seconds=1))
    assert not news.is_news(at(9) + COUNTED_FOR)
