"""Buttons as numbered lines, and the answer by number."""

import pytest

from parley_brains.webhook.choices import MEMORY_KEY, Choice, chosen, lines, next_memory, own_memory

YES, NO = Choice(title="Yes, please", payload="/affirm"), Choice(title="No", payload="/deny")
OFFERED = next_memory({}, None, [YES, NO]) or {}


def test_choices_are_a_numbered_list() -> None:
    assert lines([YES, Choice(title="No\n thanks", payload="x")], first=3) == "3. Yes, please\n4. No thanks"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1", YES),
        (" 2. ", NO),
        ("#2", NO),
        ("(2)", NO),
        ("no", NO),
        ("NO!", NO),
        ("yes please", None),
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


def test_a_number_among_other_texts_is_no_choice() -> None:
    assert chosen(["2", "or is it?"], OFFERED) is None
    assert chosen(["", "2"], OFFERED) == NO


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
