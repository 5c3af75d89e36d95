"""Twilio's status words come in any order, late and twice; the delivery ends the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_status.delivery import FINAL_RANK, RANKS, Delivery, UnknownStatus, advance, settle

words = st.sampled_from(sorted(RANKS))
all_words = st.one_of(words, st.sampled_from(["received", "receiving", "partially_delivered", "", "Delivered"]))


def rank(delivery: Delivery) -> int:
    return -1 if delivery.status is None else RANKS[delivery.status]


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        ([], None),
        (["queued"], "queued"),
        (["queued", "sending", "sent", "delivered"], "delivered"),
        (["delivered", "sent", "sending", "queued"], "delivered"),
        (["delivered", "sent"], "delivered"),
        (["undelivered", "sent"], "undelivered"),
        (["failed", "queued"], "failed"),
        (["scheduled", "canceled"], "canceled"),
        (["delivered", "read"], "read"),
        (["read", "delivered", "sent"], "read"),
        (["accepted", "queued", "accepted"], "queued"),
    ],
    ids=lambda value: ">".join(value) if isinstance(value, list) else str(value),
)
def test_the_status_that_holds_is_the_one_furthest_on(seen: list[str], status: str | None) -> None:
    assert settle(seen).status == status
    assert settle(seen).conflict == ()


@pytest.mark.parametrize(
    ("seen", "status", "conflict"),
    [
        (["undelivered", "delivered"], "delivered", ("delivered", "undelivered")),
        (["delivered", "undelivered"], "delivered", ("delivered", "undelivered")),
        (["failed", "undelivered"], "undelivered", ("failed", "undelivered")),
        (["failed", "read"], "read", ("delivered", "failed")),
        (["canceled", "sent", "delivered"], "delivered", ("canceled", "delivered")),
    ],
    ids=lambda value: ">".join(value) if isinstance(value, list) else "",
)
def test_contradicting_finals_are_a_conflict_that_names_both(
    seen: list[str], status: str, conflict: tuple[str, ...]
) -> None:
    assert settle(seen).status == status
    assert settle(seen).conflict == conflict


def test_a_text_that_was_read_was_delivered_though_no_report_says_so() -> None:
    assert settle(["sent", "read"]).status == "read"
    assert "delivered" in settle(["read"]).seen


@pytest.mark.parametrize("status", ["received", "partially_delivered", "", "DELIVERED"])
def test_an_unknown_status_is_refused_by_name_and_changes_nothing(status: str) -> None:
    assert advance(settle(["sent"]), status) == UnknownStatus(status)
    assert settle(["sent", status]) == settle(["sent"])


@given(st.lists(all_words, max_size=12), st.randoms())
def test_any_order_and_any_duplicates_end_in_the_same_delivery(seen: list[str], random: object) -> None:
    shuffled = seen + seen[: len(seen) // 2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(shuffled) == settle(seen)


@given(st.lists(words, max_size=12))
def test_the_rank_never_falls(seen: list[str]) -> None:
    delivery = Delivery()
    for status in seen:
        following = advance(delivery, status)
        assert isinstance(following, Delivery)
        assert rank(following) >= rank(delivery)
        assert set(delivery.conflict) <= set(following.conflict)
        delivery = following


@given(st.lists(words, min_size=1, max_size=12))
def test_what_is_final_stays_final(seen: list[str]) -> None:
    final = settle([*seen, "delivered"])
    for status in ("accepted", "queued", "sending", "sent", "failed"):
        assert rank(settle([*final.seen, status])) >= FINAL_RANK
