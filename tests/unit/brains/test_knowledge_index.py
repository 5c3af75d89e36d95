"""The full-text index itself."""

from __future__ import annotations

from parley_brains.knowledge.index import Index


def test_operators_are_words_like_others() -> None:
    index = Index([("", "", "this and that, or near"), ("", "", "nothing")], "en")
    for word in ("AND", "OR", "NOT", "NEAR"):
        assert index.rank([word, "this"], 5) == [0]
        assert index.frequency(word) == (word != "NOT")


def test_a_title_counts_more_than_the_headings_around_it_and_those_more_than_a_text() -> None:
    rows = [("", "", "delivery delivery delivery"), ("", "delivery delivery", ""), ("delivery", "", "")]
    fillers = [("a", "b", "c d e")] * 9
    assert Index([*rows, *fillers], "en").rank(["delivery"], 3) == [2, 1, 0]


def test_no_words_find_nothing_and_no_more_is_found_than_is_wanted() -> None:
    index = Index([("", "", "word")] * 5, "en")
    assert index.rank([], 5) == []
    assert index.rank(["word"], 2) == [0, 1]
    assert index.holding("word", [1, 4, 9]) == {1, 4}
    assert index.holding("word", [1], title=True) == set()
