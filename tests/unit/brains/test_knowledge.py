"""What is found in a folder of Markdown, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_brains.knowledge import Knowledge, Passage
from parley_brains.knowledge.languages import searched
from parley_brains.knowledge.reading import MOST_BYTES, MOST_PASSAGES
from parley_common.settings import SettingsError

SHOP = """
# Opening hours
We open at 9 and close at 17.

# Delivery
A parcel takes two days.

## Abroad
To Norway it takes a week. We ship to Zürich and São Paulo as well.

# Repairs
We repair what was delivered broken.
"""


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.md").write_text(text, encoding="utf-8")
    return path


def titles(knowledge: Knowledge, question: str, most: int = 3) -> list[str]:
    return [passage.title for passage in knowledge.search(question, most)]


@pytest.fixture
def shop(tmp_path: Path) -> Knowledge:
    return Knowledge(folder(tmp_path, shop=SHOP))


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("When do you open?", "Opening hours"),
        ("opening times hours", "Opening hours"),
        ("is it open", "Opening hours"),
        ("NORWAY!!", "Delivery / Abroad"),
        ("do you repair things", "Repairs"),
        ("repairing", "Repairs"),
        ("zurich", "Delivery / Abroad"),
        ("Sao Paulo?", "Delivery / Abroad"),
        ("Zu\u0308rich", "Delivery / Abroad"),
    ],
)
def test_a_question_finds_its_passage_in_any_form_of_its_words(shop: Knowledge, question: str, title: str) -> None:
    assert titles(shop, question)[:1] == [title]


def test_a_word_in_a_heading_counts_more_than_one_in_a_text(shop: Knowledge) -> None:
    assert titles(shop, "delivery")[0] == "Delivery"


@pytest.mark.parametrize(
    "question",
    ["", "   ", "hello", "what is it?", "unicorns", "17", "👋", "do you ship pink elephants by submarine", "?"],
)
def test_what_no_passage_answers_finds_none(shop: Knowledge, question: str) -> None:
    assert shop.search(question) == []


def test_a_title_does_not_make_up_for_a_word_that_is_in_no_passage(shop: Knowledge) -> None:
    assert titles(shop, "delivery")[0] == "Delivery"
    assert shop.search("delivery unicorn") == []


def test_as_many_passages_are_found_as_are_wanted(shop: Knowledge) -> None:
    assert (len(shop.search("takes")), len(shop.search("takes", most=1))) == (2, 1)
    assert shop.search("open", most=3) == [Passage("Opening hours", "We open at 9 and close at 17.", "shop.md")]


@pytest.mark.parametrize(
    "question",
    [
        'open" OR "close', "open AND NOT close", "open NEAR(close, 2)", "title : open", "{title}: open", "ope*",
        "^open", "open)", "((open", "'; DROP TABLE found; --", 'open"', "open + close", "-open", "open\x00close",
        "\ud800 open",
    ],
)  # fmt: skip
def test_a_question_is_never_read_as_a_query(shop: Knowledge, question: str) -> None:
    assert titles(shop, question)[:1] in ([], ["Opening hours"])
    assert titles(shop, "Norway") == ["Delivery / Abroad"]


@given(question=st.text() | st.text(alphabet='"*^():{}+- ANDORTNE\x00\u0300٣²', max_size=40))
def test_no_question_breaks_the_search(knowledge_once: Knowledge, question: str) -> None:
    for passage in knowledge_once.search(question):
        assert knowledge_once.quote(passage, question)


@pytest.fixture(scope="module")
def knowledge_once(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    return Knowledge(folder(tmp_path_factory.mktemp("knowledge"), shop=SHOP))


def test_a_long_question_is_searched_for_in_part() -> None:
    assert len(searched(" ".join(f"word{number}" for number in range(1000)), "en")) <= 24
    assert searched("x" * 5000 + " open", "en") == ("x" * 1000,)


def test_other_languages_have_their_own_words_and_endings(tmp_path: Path) -> None:
    text = "# Öffnungszeiten\nWir haben montags offen.\n# Lieferung\nPakete kommen nach zwei Tagen."
    german = Knowledge(folder(tmp_path, laden=text), language="de-CH")
    assert titles(german, "Wie ist denn eure Öffnungszeit?") == ["Öffnungszeiten"]
    assert titles(german, "Wann kommt mein Paket") == ["Lieferung"]
    assert german.search("Wie ist das?") == []
    assert searched("Für wie viele könnt ihr das Öffnen?", "de") == ("viele", "öffnen")


def test_a_passage_knows_its_file_in_a_folder_of_folders(tmp_path: Path) -> None:
    (tmp_path / "faq").mkdir()
    folder(tmp_path / "faq", **{"gift-cards": "They are valid for three years."})
    folder(tmp_path, shop="# Shop\nA shop.")
    (passage,) = Knowledge(tmp_path).search("valid years")
    assert passage == Passage("Gift cards", "They are valid for three years.", "faq/gift-cards.md")


def test_a_file_that_windows_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_bytes(b"\xef\xbb\xbf# Shop\r\nA small\r\nshop.")
    assert Knowledge(tmp_path).search("shop") == [Passage("Shop", "A small\nshop.", "shop.md")]


def test_hidden_files_and_others_than_markdown_are_no_knowledge(tmp_path: Path) -> None:
    folder(tmp_path, shop="# Shop\nA shop.")
    (tmp_path / ".hidden").mkdir()
    folder(tmp_path / ".hidden", secret="# Secret\nSecret.")
    (tmp_path / "notes.txt").write_text("Secret.")
    (tmp_path / "folder.md").mkdir()
    assert len(Knowledge(tmp_path)) == 1


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        Knowledge(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_file_that_is_no_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_bytes("# A\nZürich".encode("latin-1"))
    assert refusal(tmp_path) == f"knowledge: {tmp_path}/old.md is no UTF-8 in line 2; save it as UTF-8"


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    (tmp_path / "fits.md").write_bytes(b"x" * MOST_BYTES)
    assert len(Knowledge(tmp_path)) > 1
    (tmp_path / "large.md").write_bytes(b"x" * (MOST_BYTES + 1))
    expected = f"knowledge: {tmp_path}/large.md has more than {MOST_BYTES} bytes; split it into several files"
    assert refusal(tmp_path) == expected


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere")
    expected = f"knowledge: {tmp_path}/gone.md cannot be read: No such file or directory; mend or remove it"
    assert refusal(tmp_path) == expected


def test_more_passages_than_are_held_are_refused(tmp_path: Path) -> None:
    folder(tmp_path, many="# A\nb\n" * (MOST_PASSAGES + 1))
    assert f"{tmp_path}/many.md there are more than {MOST_PASSAGES} passages" in refusal(tmp_path)


def test_a_folder_that_is_not_there_or_says_nothing_is_refused(tmp_path: Path) -> None:
    assert "there is no folder" in refusal(tmp_path / "missing")
    folder(tmp_path, empty="# Only a heading\n")
    assert "no Markdown is in" in refusal(tmp_path)
