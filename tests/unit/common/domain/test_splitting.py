"""Long texts are cut where a reader would pause, and nothing is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_common.domain.graphemes import split_graphemes
from parley_common.domain.segments import utf_16_units
from parley_common.domain.splitting import split_text

ALPHABET = [
    *"ab .!?\n\r\t,(",
    "\n\n",
    "é",
    "e\u0301",
    "ж",
    "日",
    "。",
    "😀",
    "👍🏽",
    "👨‍👩‍👧‍👦",
    "🇩🇪",
    "1️⃣",
    "\u0301",
]
TEXTS = st.lists(st.sampled_from(ALPHABET), max_size=400).map("".join)
URL = "https://example.com/a-long-path/with?query=1&more=2"


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def ends(part: str) -> tuple[str, str]:
    clusters = list(split_graphemes(part))
    return clusters[0], clusters[-1]


def test_a_text_that_fits_is_one_part_without_a_number() -> None:
    assert split_text("a" * 1600) == ("a" * 1600,)


def test_a_text_of_1601_characters_is_two_numbered_parts() -> None:
    parts = split_text("a" * 1601)
    assert [part[:6] for part in parts] == ["(1/2) ", "(2/2) "]
    assert [len(part) for part in parts] == [1600, 6 + 7]


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t"])
def test_a_blank_text_has_no_parts(text: str) -> None:
    assert split_text(text) == ()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param(
            "One two three. Four\nfive six seven.\n\nEight nine. Ten eleven twelve\nthirteen.",
            ("One two three. Four\nfive six seven.", "Eight nine. Ten eleven twelve\nthirteen."),
            id="between paragraphs first",
        ),
        pytest.param(
            "One two three four. Five\nsix seven. Eight nine ten",
            ("One two three four. Five", "six seven. Eight nine ten"),
            id="then between lines",
        ),
        pytest.param(
            "One two three four five. Six seven eight nine ten",
            ("One two three four five.", "Six seven eight nine ten"),
            id="then between sentences",
        ),
        pytest.param(
            "He said “one two three four.” Five six seven eight nine",
            ("He said “one two three four.”", "Five six seven eight nine"),
            id="a closing quote belongs to its sentence",
        ),
        pytest.param(
            "One two three, e.g. four five six seven eight nine ten",
            ("One two three, e.g. four five six seven", "eight nine ten"),
            id="an abbreviation ends no sentence",
        ),
        pytest.param(
            "Price list for you, item 3. Apples and pears and plums",
            ("Price list for you, item 3. Apples and", "pears and plums"),
            id="a number with a point ends none",
        ),
        pytest.param(
            "one two three four five six seven eight nine ten",
            ("one two three four five six seven eight", "nine ten"),
            id="then between words",
        ),
        pytest.param("a" * 90, ("a" * 40, "a" * 40, "a" * 10), id="then between characters"),
        pytest.param(
            "日" * 25 + "。" + "本" * 25, ("日" * 25 + "。", "本" * 25), id="a Chinese sentence without spaces"
        ),
        pytest.param(
            "Hi. " + "a" * 30 + " " + "b" * 30, ("Hi. " + "a" * 30, "b" * 30), id="no part of one short sentence"
        ),
        pytest.param("x " * 10 + "\n\n" + "y" * 30, ("x " * 9 + "x", "y" * 30), id="white space at a cut goes"),
        pytest.param(
            "one two three four five six\u00a0seven\u00a0eight\u00a0nine ten",
            ("one two three four five", "six\u00a0seven\u00a0eight\u00a0nine ten"),
            id="no-break spaces do not break",
        ),
        pytest.param(
            f"{'a' * 40}x{URL}", ("a" * 40, "x" + URL[:39], URL[39:]), id="a URL longer than a part is cut"
        ),
        pytest.param(
            "日" * 30 + "https://example.com/1234567890", ("日" * 30, "https://example.com/1234567890"),
            id="a URL that fits is not, with no space before it",
        ),
    ],
)  # fmt: skip
def test_cuts_fall_where_a_reader_pauses(text: str, parts: tuple[str, ...]) -> None:
    assert split_text(text, max_units=40, numbered=False) == parts


def test_numbers_are_counted_into_the_room() -> None:
    parts = split_text("word " * 200, max_units=40)
    assert parts[0].startswith("(1/")
    assert parts[-1].startswith(f"({len(parts)}/{len(parts)}) ")
    assert max(map(len, parts)) <= 40


def test_what_is_left_out_is_admitted() -> None:
    parts = split_text("word " * 100, max_units=40, max_parts=2)
    assert parts[1] == "(2/2) word word word word word word ..."
    assert split_text("wort – " * 100, max_units=40, max_parts=2)[1].endswith(" …")


def test_a_text_within_max_parts_is_not_shortened() -> None:
    assert split_text("one two " * 8, max_units=40, max_parts=2, numbered=False)[-1].endswith("two")


def test_the_only_part_allowed_has_no_number() -> None:
    assert split_text("word " * 20, max_units=40, max_parts=1) == ("word word word word word word word ...",)


@pytest.mark.parametrize(("max_units", "max_parts"), [(39, None), (1600, 0)])
def test_limits_that_leave_no_room_are_refused(max_units: int, max_parts: int | None) -> None:
    with pytest.raises(ValueError, match="at least"):
        split_text("text", max_units=max_units, max_parts=max_parts)


@given(TEXTS, st.integers(40, 200))
def test_joined_parts_are_the_text(text: str, max_units: int) -> None:
    parts = split_text(text, max_units=max_units, numbered=False)
    assert squeezed("".join(parts)) == squeezed(text)
    assert not any(cluster.isspace() for part in parts for cluster in ends(part))


@given(TEXTS, st.integers(40, 200), st.sampled_from([None, 1, 2, 5]))
def test_parts_are_within_their_limits(text: str, max_units: int, max_parts: int | None) -> None:
    parts = split_text(text, max_units=max_units, max_parts=max_parts)
    assert all(utf_16_units(part) <= max_units for part in parts)
    assert max_parts is None or len(parts) <= max_parts


@given(TEXTS)
def test_visible_characters_stay_whole(text: str) -> None:
    parts = split_text(text, max_units=40, numbered=False)
    clusters = [cluster for part in parts for cluster in split_graphemes(part)]
    whole = [cluster for cluster in split_graphemes(text) if utf_16_units(cluster) <= 30]
    assert [c for c in clusters if not c.isspace() and c in whole] == [c for c in whole if not c.isspace()]


@given(TEXTS, TEXTS)
def test_a_url_that_fits_stays_whole(before: str, after: str) -> None:
    url = "https://example.com/12345"
    parts = split_text(f"{before} {url} {after}", max_units=40, numbered=False)
    assert sum(url in part for part in parts) == 1


@pytest.mark.parametrize("text", ["a" * 200_000, "\n" * 200_000 + "a" * 2000, "a\u0301" * 9000, "a://" * 5000])
def test_a_hostile_text_is_split_in_time(text: str) -> None:
    assert squeezed("".join(split_text(text, numbered=False))) == squeezed(text)
