"""What is quoted of a passage: whole sentences, those that answer, as many as a text holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_brains.knowledge.quoting import quote

TEXT = (
    "First we greet you. Then we speak of the weather at length, as people do. Norway is served on Tuesdays! "
    "Is that all? It is all. Dr. Who came along."
)


def quoted(text: str, *words: str, most: int = 60) -> str:
    return quote(text, dict.fromkeys(words, 1.0), "en", most)


def test_a_passage_that_fits_is_quoted_whole() -> None:
    assert quoted(TEXT, "norway", most=300) == TEXT


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("norway", "Norway is served on Tuesdays! Is that all? It is all."),
        ("greeting", "First we greet you."),
        ("weather", "Then we speak of the weather at length, as people do."),
        ("nothing", "First we greet you."),
    ],
)
def test_the_sentence_that_answers_is_quoted_with_what_follows_it(word: str, expected: str) -> None:
    assert quoted(TEXT, word) == expected


def test_more_of_the_question_goes_before_less() -> None:
    text = "We deliver. " + "Nothing of interest is said in here. " * 3 + "We deliver to Norway."
    assert quoted(text, "deliver", "norway").endswith("We deliver to Norway.")


def test_lines_of_lists_and_tables_stand_alone_and_running_lines_do_not() -> None:
    table = "| size | price |\n|---|---|\n| small | 5 |\n|large | 9 |"
    text = f"We have\nall of these:\n\n- red ones\n- blue ones\n\n{table}"
    assert quoted(text, "blue", most=12) == "- blue ones"
    assert quoted(text, "large", most=30) == "large: 9"
    assert quoted(text, "price", "large", most=40) == "size: price\nsmall: 5\nlarge: 9"
    assert quoted(text, "all", most=30) == "We have all of these:"


def test_a_sentence_that_is_too_long_is_cut_at_a_word() -> None:
    cut = quoted(f"Short. Many {'words here ' * 20}", "words", most=50)
    assert cut == "Many words here words here words here words ..."


def test_what_closes_a_sentence_stays_with_it() -> None:
    text = 'We say "go." **We go.** Then (so it is.) "And on?" Dr. A. Who comes. 你好。再见。' + " Filling" * 10
    assert quoted(text, "say", most=12) == 'We say "go."'
    assert quoted(text, "go", most=23) == 'We say "go." **We go.**'


def test_line_breaks_of_running_text_are_none_of_the_quote() -> None:
    text = "We are\nopen.\n\n- one\n  and on\n- two\n\nAnd\nso.  \nNext\n\n```\na\nb\n```\n\n| a |\n|---|\n| b |"
    expected = "We are open.\n\n- one and on\n- two\n\nAnd so.  \nNext\n\n```\na\nb\n```\n\n| a |\n|---|\n| b |"
    assert quoted(text, "open", most=300) == expected


@given(st.text(max_size=400), st.integers(0, 39))
def test_where_there_is_little_room_little_is_quoted(text: str, most: int) -> None:
    assert len(quoted(text, "word", most=most)) <= most


@given(st.text(max_size=400), st.integers(40, 300))
def test_no_quote_is_longer_than_it_may_be(text: str, most: int) -> None:
    said = quoted(text, "word", most=most)
    assert len(said) <= most
    assert said or not text.strip()
