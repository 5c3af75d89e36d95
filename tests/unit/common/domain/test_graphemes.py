"""Visible characters stay whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.graphemes import split_graphemes

ONE_EACH = [
    pytest.param("a", id="a letter"),
    pytest.param("e\u0301", id="a letter with a combining accent"),
    pytest.param("x\u0302\u0323\u0301", id="a letter with three"),
    pytest.param("\r\n", id="CRLF"),
    pytest.param("😀", id="an emoji outside the basic plane"),
    pytest.param("👍🏽", id="a skin tone"),
    pytest.param("👩🏽‍💻", id="a skin tone within a ZWJ sequence"),
    pytest.param("👨‍👩‍👧‍👦", id="a family"),
    pytest.param("🏳️‍🌈", id="a variation selector within a ZWJ sequence"),
    pytest.param("❤️", id="a heart with a variation selector"),
    pytest.param("🇩🇪", id="a flag of two letters"),
    pytest.param("🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", id="a flag of tags"),
    pytest.param("1️⃣", id="a keycap"),
    pytest.param("\u1112\u1161\u11ab", id="Hangul in three jamo"),
    pytest.param("각", id="Hangul, composed"),
    pytest.param("가\u11a8", id="a Hangul syllable and a final jamo"),
    pytest.param("நி", id="Tamil with a vowel sign"),
    pytest.param("กำ", id="Thai with SARA AM"),
    pytest.param("\u06001", id="an Arabic number sign and its digit"),
]


@pytest.mark.parametrize("cluster", ONE_EACH)
def test_what_is_seen_as_one_stays_one(cluster: str) -> None:
    assert list(split_graphemes(cluster)) == [cluster]


@pytest.mark.parametrize("cluster", ONE_EACH)
def test_neighbours_are_told_apart(cluster: str) -> None:
    if cluster != "\u06001":  # a prepended sign takes whatever follows it
        assert list(split_graphemes(cluster * 3)) == [cluster] * 3


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("ab", ["a", "b"], id="letters"),
        pytest.param("🇩🇪🇫🇷🇺", ["🇩🇪", "🇫🇷", "🇺"], id="regional letters pair from the left"),
        pytest.param("a\u200d😀", ["a\u200d", "😀"], id="a joiner after a letter joins nothing"),
        pytest.param("\n\u0301", ["\n", "\u0301"], id="an accent on a line end stands alone"),
        pytest.param("\ud83da", ["\ud83d", "a"], id="a lone surrogate"),
    ],
)
def test_boundaries_are_where_unicode_puts_them(text: str, clusters: list[str]) -> None:
    assert list(split_graphemes(text)) == clusters


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_is_lost_or_empty(text: str) -> None:
    clusters = list(split_graphemes(text))
    assert "".join(clusters) == text
    assert all(clusters)
