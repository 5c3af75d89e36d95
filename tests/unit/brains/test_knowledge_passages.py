"""Markdown is split into passages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_brains.knowledge.passages import MOST_CHARACTERS, Passage, split


def passages(markdown: str, source: str = "a/opening-hours.md") -> list[tuple[str, str]]:
    return [(one.title, one.text) for one in split(markdown, source)]


def test_each_heading_has_its_passage_and_knows_those_around_it() -> None:
    markdown = "before\n# A\na\n\n## B\nb\n### C ###\nc\n## D\nd\n# E\ne\n"
    assert passages(markdown) == [
        ("Opening hours", "before"),
        ("A", "a"),
        ("A / B", "b"),
        ("A / B / C", "c"),
        ("A / D", "d"),
        ("E", "e"),
    ]
    assert next(split("x", "faq/a_b.md")) == Passage("A b", "x", "faq/a_b.md")


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        pytest.param("A\n===\na\n\nB\n---\nb", [("A", "a"), ("A / B", "b")], id="underlined"),
        pytest.param("# A\r\na\r\n", [("A", "a")], id="lines of Windows"),
        pytest.param("---\ntitle: T\ntags: none\n---\n# A\na", [("A", "a")], id="front matter"),
        pytest.param("# A\na <!-- # no\n\nsecret --> b", [("A", "a  b")], id="a comment"),
        pytest.param("# A\n```\n# no\n```\nb", [("A", "```\n# no\n```\nb")], id="code"),
        pytest.param("# A\n~~~~\n~~~\n# no\n~~~~\nb", [("A", "~~~~\n~~~\n# no\n~~~~\nb")], id="code in code"),
        pytest.param("# **A** `b` [c](https://x.example)\na", [("A b c", "a")], id="marks in a heading"),
        pytest.param("#hash\n#", [("Opening hours", "#hash")], id="no heading, and an empty one"),
        pytest.param("# A\na\n\n---\n\nb", [("A", "a\n\n---\n\nb")], id="a line across"),
        pytest.param("# A\n- a\n---\nb", [("A", "- a\n---\nb")], id="a line across under a list"),
        pytest.param("# A\n\n***\n\n# B\n", [], id="nothing said"),
        pytest.param("####### A", [("Opening hours", "####### A")], id="seven marks"),
    ],
)
def test_headings_are_those_that_markdown_has(markdown: str, expected: list[tuple[str, str]]) -> None:
    assert passages(markdown) == expected


def test_much_under_one_heading_is_cut_between_paragraphs() -> None:
    paragraphs = [f"{letter} " * 300 for letter in "abc"]
    found = passages("# A\n" + "\n\n".join(one.strip() for one in paragraphs))
    assert [title for title, _ in found] == ["A", "A"]
    assert [text[0] + text[-1] for _, text in found] == ["ab", "cc"]


@given(st.text(alphabet="a \n#.-=`<!>", max_size=200), st.integers(1, 2000))
def test_no_passage_is_too_long_and_no_word_is_lost(text: str, length: int) -> None:
    long = f"{'word ' * length}\n\n{text}"
    found = [one.text for one in split(long, "a.md")]
    assert all(0 < len(one) <= MOST_CHARACTERS for one in found)
    assert "\n".join(found).count("word") == length
