"""Whatever a bot says and offers, people see every choice, and no message is too long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parley_brains.webhook.choices import Choice, numbered
from parley_brains.webhook.pages import GAP, Row, laid_out
from parley_common.domain.segments import utf_16_units

TEXTS = st.text(alphabet=st.sampled_from("ab \u00e9\U0001f44b.?\n"), max_size=300)


@given(TEXTS, st.lists(TEXTS.filter(str.strip), min_size=1, max_size=15), st.integers(40, 400))
def test_every_choice_is_on_a_page_and_no_page_is_too_long(words: str, titles: list[str], most: int) -> None:
    choices = [Choice(title=title, payload=title) for title in titles]
    rows = [
        Row(line=numbered(number, choice), gap=GAP if number == 1 else "\n", choice=choice)
        for number, choice in enumerate(choices, 1)
    ]
    pages = laid_out(words, rows, most)
    assert [choice for page in pages for choice in page.choices] == choices
    assert all(utf_16_units(page.message.text) <= most for page in pages)
    lines = "\n".join(page.message.text for page in pages).splitlines()[-len(titles) - len(pages) * 2 :]
    assert all(any(line.startswith(f"{number}.") for line in lines) for number in range(1, len(titles) + 1))


@given(TEXTS)
def test_words_without_choices_stay_as_they_are(words: str) -> None:
    (page,) = laid_out(words, [], 40)
    assert page.message.text == words
