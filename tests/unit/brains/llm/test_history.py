"""As much of the conversation so far as the budget holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_brains.brain import Exchange
from parley_brains.llm.history import count_tokens, fitting, most_exchanges
from parley_common.tail import MOST_PAST

EXCHANGES = st.lists(
    st.builds(Exchange, text=st.text(max_size=60), answers=st.lists(st.text(max_size=60), max_size=3).map(tuple)),
    max_size=12,
)


def exchange(text: str, *answers: str) -> Exchange:
    return Exchange(text=text, answers=answers)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 4), ("abc", 5), ("abcd", 6), ("Привет", 10), ("你好", 7), ("😀", 6), ("a😀", 7)]
)
def test_tokens_are_estimated_by_characters_and_bytes(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_the_newest_are_kept_in_their_order() -> None:
    past = [exchange("one", "1"), exchange("two", "2"), exchange("three", "3")]
    budget = sum(count_tokens(text) for text in ("two", "2", "three", "3"))
    assert fitting(past, budget) == tuple(past[1:])
    assert fitting(past, budget - 1) == (past[2],)
    assert fitting(past, 0) == ()


def test_a_long_exchange_hides_those_before_it() -> None:
    past = [exchange("short", "s"), exchange("long", "x" * 3000), exchange("new", "n")]
    assert fitting(past, 200) == (past[2],)


def test_what_was_never_answered_is_left_out() -> None:
    past = [exchange("lost"), exchange("lost too", "  "), exchange("hi", "hello")]
    assert fitting(past, 1000) == (past[2],)


def test_a_picture_without_words_is_told_as_one() -> None:
    (only,) = fitting([exchange("  ", "Nice!")], 100)
    assert only.text == "[an attachment]"


@given(EXCHANGES, st.integers(min_value=0, max_value=400))
def test_the_budget_is_never_exceeded(past: list[Exchange], budget: int) -> None:
    kept = fitting(past, budget)
    texts = [text for one in kept for text in (one.text, "\n\n".join(a for a in one.answers if a.strip()))]
    assert sum(map(count_tokens, texts)) <= budget


@pytest.mark.parametrize(("budget", "most"), [(0, 0), (1, 1), (90, 3), (2000, MOST_PAST), (10**6, MOST_PAST)])
def test_no_more_exchanges_are_read_than_the_budget_may_hold(budget: int, most: int) -> None:
    assert most_exchanges(budget) == most
