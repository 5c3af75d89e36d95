"""A URL reaches the phone to the letter, wherever it stands and however long the text around it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley_common.domain.graphemes import split_graphemes
from parley_common.domain.phone_numbers import Network
from parley_common.domain.plain_text import to_plain_text
from parley_common.domain.smart_punctuation import to_gsm_punctuation
from parley_common.domain.splitting import split_text
from parley_common.domain.whatsapp_text import whatsapp_parts

CONTEXTS = [
    "{}",
    "see {} now",
    "({})",
    "{}, and {}.",
    "**{}**",
    "*see {} now*",
    "_{}_",
    "~~{}~~",
    "**bold {} bold** _it_",
    "# {}",
    "# see {} here",
    "- {}\n- b",
    "1. {}",
    "> {}",
    "[text]({})",
    "[**text** more]({})",
    "**[text]({})**",
    "![alt]({})",
    "[text][1]\n\n[1]: {}",
    "<{}>",
    '<a href="{}">text</a>',
    "`{}`",
    "run `curl {} -d x`",
    "```\n{}\n```",
    "|a|b|\n|-|-|\n|x|{}|",
    "“quoted” – {} …",
    "日本 {} 日本",
    "👍🏽 {} 👨‍👩‍👧‍👦",
    "\u200f{} \u200e",
    "2*3*4 {} snake_case",
    "<p>{}</p>",
    "<b>{}</b>",
]
PATH = st.text(st.sampled_from("abcXYZ019-_~*.%+=/@!"), max_size=24)
ENDS = st.sampled_from("abz09/")
URLS = st.builds(
    "{}{}/{}{}".format,
    st.sampled_from(["https://", "http://"]),
    st.sampled_from(["x.yz", "a-b.example.com"]),
    PATH,
    ENDS,
).filter(lambda url: "**" not in url and "~~" not in url)
QUERIES = st.sampled_from(["", "?a=1", "?a=b_c_d&e=*f*g", "#part_one_two", "?q=%2A%5F"])
WHOLE = st.builds("{}{}".format, URLS, QUERIES)


@pytest.mark.parametrize("context", CONTEXTS)
@given(url=WHOLE)
@settings(max_examples=40)
def test_in_every_context(context: str, url: str) -> None:
    markdown = context.replace("{}", url)
    assert url in to_gsm_punctuation(to_plain_text(markdown))
    assert url in "".join(whatsapp_parts(markdown))


@pytest.mark.parametrize("context", CONTEXTS)
@given(url=WHOLE)
@settings(max_examples=40)
def test_no_mark_touches_it(context: str, url: str) -> None:
    """A phone would take the mark for a part of the link."""
    for part in whatsapp_parts(context.replace("{}", url)):
        if "```" not in part and "`curl" not in part:
            after = [part[found.end() : found.end() + 1] for found in re.finditer(re.escape(url), part)]
            assert not {"*", "_", "~", "`"} & set(after)


EMOJI = [
    "👨‍👩‍👧‍👦",
    "🇩🇪",
    "1️⃣",
    "👍🏽",
    "🏳️‍🌈",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "😀",
]
WORDS = st.lists(st.sampled_from(["word ", "日本", "é ", "a", "\n", "**b** ", "- ", *EMOJI]), max_size=120).map(
    "".join
)


def parts_of(markdown: str, network: Network, max_units: int) -> tuple[str, ...]:
    if network is Network.WHATSAPP:
        return whatsapp_parts(markdown, max_units=max_units)
    return split_text(to_gsm_punctuation(to_plain_text(markdown)), max_units=max_units)


@given(WORDS, WORDS, WHOLE, st.integers(110, 160), st.sampled_from([Network.SMS, Network.WHATSAPP]))
def test_no_cut_goes_through_it(before: str, after: str, url: str, max_units: int, network: Network) -> None:
    parts = parts_of(f"{before} {url} {after}", network, max_units)
    assert sum(url in part for part in parts) == 1


@given(WORDS, st.integers(60, 160), st.sampled_from([Network.SMS, Network.WHATSAPP]))
def test_no_cut_goes_through_an_emoji(markdown: str, max_units: int, network: Network) -> None:
    parts = parts_of(markdown, network, max_units)
    clusters = [cluster for part in parts for cluster in split_graphemes(part)]
    for emoji in EMOJI:
        assert clusters.count(emoji) == list(split_graphemes(markdown)).count(emoji)
    assert not any(0xD800 <= ord(char) <= 0xDFFF for part in parts for char in part)
