"""Buttons as numbered lines, and the answer by number."""

import pytest

from parley_brains.webhook.choices import MEMORY_KEY, Choice, chosen, next_memory, numbered, own_memory, unheard

YES, NO = Choice(title="Yes, please", payload="/affirm"), Choice(title="No", payload="/deny")
OFFERED = next_memory({}, None, [YES, NO]) or {}


def test_a_choice_is_a_numbered_line() -> None:
    assert numbered(4, Choice(title="No\n thanks", payload="x")) == "4. No thanks"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1", YES),
        (" 2. ", NO),
        ("#2", NO),
        ("(2)", NO),
        ("no", NO),
        ("NO!", NO),
        ("yes please", YES),
        ("two", NO),
        ("Two!", NO),
        ("1!", YES),
        ("option 2", NO),
        ("Option two.", NO),
        ("the number 2", NO),
        ("1\ufe0f\u20e3", YES),
        ("option", None),
        ("option 3", None),
        ("Yes,  please.", YES),
        ("0", None),
        ("3", None),
        ("2 please", None),
        ("²", None),
        ("", None),
    ],
)
def test_a_choice_is_taken_by_its_number_or_its_title(text: str, wanted: Choice | None) -> None:
    assert chosen([text], OFFERED) == wanted


def test_a_choice_may_be_one_of_several_texts_and_the_last_one_counts() -> None:
    assert chosen(["2", "or is it?"], OFFERED) == NO
    assert chosen(["", "2"], OFFERED) == NO
    assert chosen(["2", "wait, 1", "1"], OFFERED) == YES


def test_a_title_that_reads_like_a_number_is_taken_as_it_is_written() -> None:
    offered = next_memory({}, None, [Choice(title="Option 2", payload="a"), Choice(title="B", payload="b")]) or {}
    taken = chosen(["option 2"], offered)
    assert taken is not None
    assert taken.payload == "a"


@pytest.mark.parametrize("title", ["Yes", "HELP", " stop ", "cancel", "Stop texting me"])
def test_a_title_that_never_reaches_a_bot_is_known(title: str) -> None:
    assert unheard(title) is not None


@pytest.mark.parametrize("title", ["Yes, please", "No", "No, thanks", "Cancel it", "Help me"])
def test_other_titles_do(title: str) -> None:
    assert unheard(title) is None


def test_nothing_was_offered() -> None:
    assert chosen(["1"], {}) is None
    assert chosen(["1"], {MEMORY_KEY: "no JSON"}) is None


def test_what_was_offered_is_forgotten_after_the_next_answer() -> None:
    assert next_memory({**OFFERED, "order": "7"}, None, []) == {"order": "7"}
    assert next_memory({"order": "7"}, None, []) is None


def test_what_the_bot_remembers_takes_the_place_of_what_it_remembered() -> None:
    assert next_memory({**OFFERED, "order": "7"}, {"name": "Ada"}, []) == {"name": "Ada"}
    assert next_memory({"order": "7"}, {}, []) == {}


def test_the_bot_is_not_told_of_what_parley_remembers() -> None:
    assert own_memory({**OFFERED, "order": "7"}) == {"order": "7"}
