"""A sender's rate, checked over every window of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_egress.rate import Bucket, new_owner

RATES = st.sampled_from([0.25, 1.0, 3.0, 10.0, 100.0, 225.0])
SIZES = st.lists(st.integers(0, 24), min_size=1, max_size=60)
IDLE_S = st.lists(st.floats(0, 5), min_size=60, max_size=60)

Sent = list[tuple[float, int]]


def send_all(rate: float, sizes: list[int], idle_s: list[float] | None = None) -> Sent:
    """Sends the parts as early as the bucket lets them, each after some time without work."""
    bucket, now_s, sent = new_owner(rate, 100.0), 100.0, []
    for size, wait_s in zip(sizes, idle_s or [0.0] * len(sizes), strict=False):
        now_s += wait_s
        now_s += bucket.wait_s(now_s)
        bucket = bucket.take(size, now_s)
        sent.append((now_s, max(1, size)))
    return sent


def most_in_a_window(sent: Sent, window_s: float) -> tuple[int, int]:
    """The most segments that any window of this length holds, and the largest part."""
    windows = [sum(n for at_s, n in sent if start_s <= at_s < start_s + window_s) for start_s, _ in sent]
    return max(windows), max(n for _, n in sent)


@given(RATES, SIZES, IDLE_S, st.sampled_from([0.1, 1.0, 10.0]))
def test_no_window_holds_more_than_its_rate_and_one_part(
    rate: float, sizes: list[int], idle_s: list[float], window_s: float
) -> None:
    most, largest = most_in_a_window(send_all(rate, sizes, idle_s), window_s)
    assert most <= rate * window_s + largest


@given(st.sampled_from([1.0, 3.0, 10.0, 100.0]), st.integers(1, 200))
def test_no_second_holds_more_short_texts_than_the_rate(rate: float, count: int) -> None:
    most, _ = most_in_a_window(send_all(rate, [1] * count), 1.0 - 1e-6)
    assert most <= rate


@given(RATES, SIZES)
def test_a_busy_sender_uses_all_of_its_rate(rate: float, sizes: list[int]) -> None:
    sent = send_all(rate, sizes)
    segments_before_last = sum(n for _, n in sent[:-1])
    assert sent[-1][0] - sent[0][0] == pytest.approx(segments_before_last / rate)


@given(RATES, st.floats(0, 1e6))
def test_idle_time_saves_nothing_up(rate: float, idle_s: float) -> None:
    bucket = new_owner(rate, 0.0)
    now_s = bucket.wait_s(0.0) + idle_s
    assert bucket.take(1, now_s).wait_s(now_s) == pytest.approx(1 / rate)


def test_a_new_owner_waits_as_if_a_text_had_just_gone() -> None:
    assert new_owner(2.0, 50.0).wait_s(50.0) == pytest.approx(0.5)


def test_a_part_without_segments_still_costs_one() -> None:
    assert Bucket(segments_per_s=4.0, free_at_s=0.0).take(0, 10.0).free_at_s == pytest.approx(10.25)


def test_looking_takes_nothing() -> None:
    bucket = Bucket(segments_per_s=4.0, free_at_s=11.0)
    assert [bucket.wait_s(10.0), bucket.wait_s(10.0), bucket.wait_s(12.0)] == [1.0, 1.0, 0.0]
