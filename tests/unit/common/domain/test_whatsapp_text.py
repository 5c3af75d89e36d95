"""A WhatsApp message keeps the formatting that WhatsApp shows, and nothing else turns into formatting."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.plain_text import to_plain_text
from parley_common.domain.segments import utf_16_units
from parley_common.domain.whatsapp_text import whatsapp_parts

BLOCKS = [
    pytest.param("# Title\ntext", "*Title*\ntext", id="a heading is a bold line"),
    pytest.param("Title\n=====\ntext", "*Title*\ntext", id="an underlined heading"),
    pytest.param("Two\nlines\n-----", "*Two*\n*lines*", id="a heading of two lines"),
    pytest.param("## **A** and *b*", "*A and _b_*", id="emphasis in a heading"),
    pytest.param("## See [x](https://y.z)", "*See x* (https://y.z)", id="a link in a heading"),
    pytest.param("Hi\n-\nBob", "Hi\n-\nBob", id="a dash on its line makes no heading"),
    pytest.param("```python\nx = *1*\n\n  y\n```\nend", "```\nx = *1*\n\n  y\n```\nend", id="a block of code"),
    pytest.param("    code\n      more", "```\ncode\n  more\n```", id="indented code"),
    pytest.param("````\na\n```\nb\n````", "a\n\u02cb\u02cb\u02cb\nb", id="code that holds a fence"),
    pytest.param("> a **b**\n> c", "> a *b*\n> c", id="a quote"),
    pytest.param("- a\n* **b**\n  - c", "- a\n- *b*\n  - c", id="bullets"),
    pytest.param("1. a\n1. *b*", "1. a\n2. _b_", id="numbers"),
    pytest.param("- a\n\n  ```\n  x\n  ```", "- a\n\n  ```\n  x\n  ```", id="code in an item"),
    pytest.param("|a|b|\n|-|-|\n|**x**|`y`|", "a: b\n*x*: `y`", id="a table of two columns"),
    pytest.param("|a|b|c|\n|-|-|-|\n|1|~~2~~|3|", "a | b | c\n1 | ~2~ | 3", id="a table of three columns"),
    pytest.param("a\n\n---\n\nb", "a\n\n---\n\nb", id="a rule"),
]

INLINE = [
    pytest.param("**bold** *it* __b__ _i_ ~~no~~", "*bold* _it_ *b* _i_ ~no~", id="each mark"),
    pytest.param("***both***", "*_both_*", id="both at once"),
    pytest.param("**bold *it* more**", "*bold _it_ more*", id="italic in bold"),
    pytest.param("**bold *it***", "*bold _it_*", id="italic at the end of bold"),
    pytest.param("_**x** y_ z", "_*x* y_ z", id="bold at the start of italic"),
    pytest.param("**a __b__ c**", "*a b c*", id="bold in bold is bold"),
    pytest.param("**a**, (*b*). “**c**”", "*a*, (_b_). “*c*”", id="beside punctuation"),
    pytest.param("run `ls -l` now", "run `ls -l` now", id="code"),
    pytest.param("**use `x` now**", "*use `x` now*", id="code in bold"),
    pytest.param("`a*b*c` and `_d_`", "`a*b*c` and `_d_`", id="stars in code"),
    pytest.param("*a\nb*", "_a_\n_b_", id="marks do not reach over lines"),
    pytest.param("**a**b, 重**点**内", "ab, 重点内", id="no marks within a word"),
    pytest.param("<b>a</b> <i>b</i> <del>c</del> <code>d</code>", "*a* _b_ ~c~ `d`", id="HTML"),
    pytest.param("<b>never closed", "never closed", id="HTML that is never closed"),
    pytest.param("“It’s” – fine… 🎉", "“It’s” – fine… 🎉", id="typography and emoji stay"),
    pytest.param("👨‍👩‍👧‍👦 **👍🏽** 🇩🇪", "👨‍👩‍👧‍👦 *👍🏽* 🇩🇪", id="an emoji in bold"),
    pytest.param("**مرحبا** 123", "*مرحبا* 123", id="right to left"),
]

LINKS = [
    pytest.param("[site](https://x.com/a_b*c)", "site (https://x.com/a_b*c)", id="text and URL"),
    pytest.param("**[site](https://x.com)**", "*site* (https://x.com)", id="a bold link"),
    pytest.param("[**Our** `site`](https://x.com)", "*Our* `site` (https://x.com)", id="marks in a link's text"),
    pytest.param("[**x.com**](https://x.com)", "https://x.com", id="a bold text that is the URL"),
    pytest.param("**https://x.com/a**", "https://x.com/a", id="no mark touches a URL"),
    pytest.param("**see https://x.com now**", "*see* https://x.com *now*", id="a URL amid bold"),
    pytest.param("`https://x.y/_a_`", "https://x.y/_a_", id="a URL as code"),
    pytest.param("`curl https://x.y -d a`", "`curl https://x.y -d a`", id="a URL amid code"),
    pytest.param("https://x.y/*a*/_b_/~c~", "https://x.y/*a*/_b_/~c~", id="signs in a URL"),
]

LITERAL = [
    pytest.param("2*3*4 = 24", id="products"),
    pytest.param("5 * 3 * 2", id="stars between spaces"),
    pytest.param("snake_case_name, a__b__c", id="snake case"),
    pytest.param("f(*args, **kwargs)", id="stars of Python"),
    pytest.param("about ~5 or ~6", id="tildes"),
    pytest.param("one ` tick", id="a backtick"),
    pytest.param("a < b > c & d", id="comparisons"),
]

DISARMED = [
    pytest.param(r"\*a\*", "∗a∗", id="escaped stars"),
    pytest.param(r"\_a b\_", "ˍa bˍ", id="escaped underscores"),
    pytest.param("~5~", "∼5∼", id="tildes that are none of Markdown's"),
    pytest.param(r"\`a\`", "ˋaˋ", id="escaped backticks"),
    pytest.param("**a** b**", "*a* b∗∗", id="stars that end nothing"),
    pytest.param("word``` and", "wordˋˋˋ and", id="a fence within a line"),
    pytest.param(r"\*a **b** c\*", "∗a *b* c∗", id="a star that would pair with a mark"),
]


@pytest.mark.parametrize(("markdown", "text"), [*BLOCKS, *INLINE, *LINKS, *DISARMED])
def test_markdown_is_what_whatsapp_shows(markdown: str, text: str) -> None:
    assert whatsapp_parts(markdown) == (text,)


@pytest.mark.parametrize("text", LITERAL)
def test_signs_that_whatsapp_leaves_alone_stay_as_they_are(text: str) -> None:
    assert whatsapp_parts(text) == (text,)


@pytest.mark.parametrize("text", ["", " \n ", "![]()", "****", "<b></b>", "\ufdd0\ufdd1"])
def test_nothing_stays_nothing(text: str) -> None:
    if text != "****":
        assert whatsapp_parts(text) == ()
    assert "\ufdd0" not in "".join(whatsapp_parts(text))


def test_a_bold_text_that_is_cut_is_bold_in_every_part() -> None:
    parts = whatsapp_parts("**" + "word " * 50 + "end** tail", max_units=100)
    assert len(parts) == 4
    assert all(re.fullmatch(r"\(\d/4\) \*word.*(word|end)\*( tail)?", part) for part in parts)


def test_a_block_of_code_that_is_cut_is_code_in_every_part() -> None:
    parts = whatsapp_parts("```\n" + "line of code\n" * 30 + "```\nend", max_units=100)
    assert len(parts) > 2
    assert all(part.count("```") == 2 for part in parts)
    assert "".join(parts).count("line of code") == 30
    assert parts[-1].endswith("```\nend")


def test_what_is_left_out_is_said_and_its_mark_is_closed() -> None:
    _, last = whatsapp_parts("**" + "word " * 200 + "end**", max_units=100, max_parts=2)
    assert last.endswith(" …*")


def test_a_text_that_just_fits_is_one_part() -> None:
    assert whatsapp_parts("**" + "a" * 1_598 + "**") == ("*" + "a" * 1_598 + "*",)
    assert len(whatsapp_parts("**" + "a" * 1_599 + "**")) == 2


WORDS = ["word", "two.", "日本", "😀", "👨‍👩‍👧‍👦", "é", "2*3*4", "a_b"]
SPACES = ["\n", "\n\n", " ", " "]
SYNTAX = ["**", "*", "_", "`", "~~", "- ", "> ", "# ", "```\n", "[t](https://x.y/z)", "|"]
PIECES = [*WORDS, *SPACES, *SYNTAX]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=120).map("".join)
SIGNS = str.maketrans({"∗": "*", "ˍ": "_", "∼": "~", "ˋ": "`"})


def letters(text: str) -> str:
    """All but space and what marks are made of; code in a quote has more quoted lines for its fences."""
    return re.sub(r"[\s*_~`>]", "", text.translate(SIGNS))


@given(TEXTS)
def test_it_says_what_the_plain_text_says(markdown: str) -> None:
    assert letters("".join(whatsapp_parts(markdown))) == letters(to_plain_text(markdown))


@given(TEXTS, st.integers(80, 200))
def test_parts_lose_nothing_and_fit(markdown: str, max_units: int) -> None:
    parts = whatsapp_parts(markdown, max_units=max_units)
    assert all(utf_16_units(part) <= max_units for part in parts)
    bare = "".join(re.sub(r"^\(\d+/\d+\) ", "", part) if len(parts) > 1 else part for part in parts)
    assert letters(bare) == letters(to_plain_text(markdown))


@given(TEXTS, st.integers(80, 200))
def test_no_part_leaves_a_block_of_code_open(markdown: str, max_units: int) -> None:
    assert all(part.count("```") % 2 == 0 for part in whatsapp_parts(markdown, max_units=max_units))


STYLED = ["word ", "**word other** ", "_x y_ ", "**a *b* c** ", "~~struck **b** out~~ ", "`code and code` ", "\n"]


@given(st.lists(st.sampled_from(STYLED), max_size=80).map("".join), st.integers(80, 120))
def test_no_part_leaves_a_mark_open(markdown: str, max_units: int) -> None:
    """Every sign of these is a mark: each part has as many that open as that close."""
    for part in whatsapp_parts(markdown, max_units=max_units):
        for sign in "*_~`":
            opened = re.findall(rf"(?<!\w){re.escape(sign)}(?=[\w*_~])", part)
            assert part.count(sign) == 2 * len(opened)


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_raises_and_no_stand_in_is_left(markdown: str) -> None:
    assert not re.search("[\ufdd0-\ufdef]", "".join(whatsapp_parts(markdown)))


HOSTILE = {
    "stars": "*a " * 5_000,
    "bold": "**a** " * 3_000,
    "code": "`a` " * 5_000,
    "tags": "<b>" * 5_000,
    "mixed": "_*" * 8_000,
    "close": "*a*_b_" * 3_000,
    "lines": "**a\n" * 4_000,
    "scripts": "<script>" * 2_500 + "</script>",
    "comments": "<!--" * 5_000 + "-->",
}


@pytest.mark.parametrize("markdown", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_takes_little_work(markdown: str) -> None:
    started_s = time.process_time()
    whatsapp_parts(markdown)
    assert time.process_time() - started_s < 4.0
