"""Menus with numbered choices, kept in a conversation's memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parley_brains.agent_file import AgentFile, Handoff, ReplyLimits
from parley_brains.brain import Said, Turn
from parley_brains.scripted.brain import ScriptedBrain
from parley_brains.scripted.memory import Shown, recall, remember
from parley_brains.scripted.script import Choice, Command, Menu, Question, SmallTalk

pytestmark = pytest.mark.anyio

FILE = AgentFile(
    fallback="I don't know.",
    handoff=Handoff(words=("PERSON",)),
    commands={
        "HOURS": Command(reply="9 to 17"),
        "ORDER": Command(
            reply="Order {order}", questions=(Question(slot="order", question="Which?", pattern=r"\d+"),)
        ),
    },
    menus={
        "RETURNS": Menu(
            prompt="About what?",
            also=("REFUND",),
            choices=(
                Choice(label="How it works", reply="Like this."),
                Choice(label="Where is it?", command="order"),
                Choice(label="Broken", menu="broken"),
            ),
        ),
        "BROKEN": Menu(
            prompt="And now?",
            choices=(Choice(label="Back", menu="RETURNS"), Choice(label="Hours", command="HOURS")),
        ),
    },
)
RETURNS = "About what?\n\n1. How it works\n2. Where is it?\n3. Broken"
BROKEN = "And now?\n\n1. Back\n2. Hours"
WRONG = "Sorry, I do not know which one you mean."
UNKNOWN = "I don't know.\n\nTo reach a person, text PERSON."


def turn(*texts: str, memory: Mapping[str, str] | None = None) -> Turn:
    return Turn(key="k", channel="d", conversation="c", contact="", recipient="", texts=texts, memory=memory or {})


async def talk(*texts: str, file: AgentFile = FILE) -> list[str]:
    """The answers to texts, each a turn of its own."""
    brain, memory, answers = ScriptedBrain(file, Path()), dict[str, str](), list[str]()
    for text in texts:
        said = await brain.answer(turn(text, memory=memory))
        memory = memory if said.memory is None else dict(said.memory)
        answers.append("\n---\n".join(message.text for message in said.messages))
    return answers


async def test_a_menu_is_shown_by_its_word_with_numbers() -> None:
    assert await talk("returns", "Refund!") == [RETURNS, RETURNS]


@pytest.mark.parametrize("text", ["1", "1.", " 1) ", "(1)", "#1", "one", "One!", "how it works", "How it works."])
async def test_a_choice_is_known_by_its_number_or_its_label(text: str) -> None:
    assert (await talk("RETURNS", text))[1] == "Like this."


@pytest.mark.parametrize("text", ["0", "4", "11", "1 2", "12 days", "-1", "1?x", "٤"])
async def test_what_is_no_choice_is_told_and_the_menu_shown_again(text: str) -> None:
    assert (await talk("RETURNS", text))[1] == f"{WRONG}\n\n{RETURNS}"


async def test_a_menu_is_shown_again_once_and_then_forgotten() -> None:
    assert await talk("RETURNS", "7", "8", "1") == [RETURNS, f"{WRONG}\n\n{RETURNS}", UNKNOWN, UNKNOWN]


async def test_a_right_choice_after_a_wrong_one_is_taken() -> None:
    assert (await talk("RETURNS", "7", "3"))[2] == BROKEN


async def test_another_choice_can_be_made_after_an_answer_and_may_be_wrong_again() -> None:
    answers = await talk("RETURNS", "9", "1", "9", "1")
    assert answers[2:] == ["Like this.", f"{WRONG}\n\n{RETURNS}", "Like this."]


async def test_a_choice_leads_to_another_menu_whose_numbers_then_count() -> None:
    assert await talk("RETURNS", "3", "2", "1", "1") == [RETURNS, BROKEN, "9 to 17", RETURNS, "Like this."]


async def test_a_choice_leads_to_a_command_with_questions_and_forgets_the_menu() -> None:
    assert await talk("RETURNS", "2", "1", "1") == [RETURNS, "Which?", "Order 1", UNKNOWN]


async def test_a_command_forgets_the_menu() -> None:
    assert await talk("RETURNS", "HOURS", "1") == [RETURNS, "9 to 17", UNKNOWN]


async def test_of_texts_that_come_together_the_last_choice_counts() -> None:
    brain = ScriptedBrain(FILE, Path())
    for texts, expected in ((("1", "3"), BROKEN), (("3", "thanks"), BROKEN)):
        said = await brain.answer(turn(*texts, memory={"menu": "RETURNS"}))
        assert said.messages[0].text == expected


async def test_nothing_is_written_where_nothing_is_to_be_remembered_anew() -> None:
    brain = ScriptedBrain(FILE, Path())
    assert (await brain.answer(turn("HOURS"))).memory is None
    assert (await brain.answer(turn("1", memory={"menu": "RETURNS"}))).memory is None
    assert (await brain.answer(turn("HOURS", memory={"menu": "RETURNS"}))).memory == {}


async def test_a_menu_is_opened_and_answered_in_one_text() -> None:
    assert await talk("returns 3", "1") == [BROKEN, RETURNS]
    assert await talk("Refund! how it works") == ["Like this."]
    assert await talk("returns 4") == [RETURNS]


async def test_of_a_long_menu_the_words_are_cut_and_never_the_choices() -> None:
    long = Menu(prompt="Many words. " * 20, choices=FILE.menus["RETURNS"].choices)
    file = replace(FILE, menus={**FILE.menus, "RETURNS": long}, reply=ReplyLimits(most_characters=100))
    for answer in await talk("returns", "9", file=file):
        assert answer.endswith("\n\n1. How it works\n2. Where is it?\n3. Broken")
        assert len(answer) <= 100
    tight = replace(file, reply=ReplyLimits(most_characters=45))
    assert await talk("returns", file=tight) == ["1. How it works\n2. Where is it?\n3. Broken"]


@pytest.mark.parametrize("text", ["a person please", "Person?", "could I have a person, now"])
async def test_a_short_text_with_a_word_for_a_person_hands_over_and_forgets(text: str) -> None:
    for memory in ({"menu": "RETURNS"}, {"command": "ORDER"}):
        said = await ScriptedBrain(FILE, Path()).answer(turn(text, memory=memory))
        assert (said.hand_over, said.messages, said.memory) == (True, (), {})


async def test_a_long_text_with_a_word_for_a_person_gets_the_offer_of_one() -> None:
    text = "I would like to talk to a person now"
    assert await talk("returns", text, "1") == [RETURNS, "To reach a person, text PERSON.", UNKNOWN]
    assert await talk("order", text, "7") == ["Which?", "To reach a person, text PERSON.", "Order 7"]


async def test_a_word_that_only_holds_a_word_for_a_person_asks_for_none() -> None:
    assert await talk("something personal") == [UNKNOWN]


async def test_an_answer_from_the_knowledge_ends_a_menu(tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_text("# Parking\nBehind the library.")
    brain = ScriptedBrain(replace(FILE, knowledge="."), tmp_path)
    said = await brain.answer(turn("parking?", memory={"menu": "RETURNS"}))
    assert (said.messages[0].text, said.memory) == ("**Parking**\n\nBehind the library.", {})


@pytest.mark.parametrize("text", ["Hours about parking", "hours when parking?"])
async def test_a_sentence_behind_a_first_word_is_looked_up_first(text: str, tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_text("# Parking\nAt all hours behind the library, in order.")
    brain = ScriptedBrain(replace(FILE, knowledge="."), tmp_path)
    assert (await brain.answer(turn(text))).messages[0].text.startswith("**Parking**")
    for plain in ("hours parking", "hours of the day"):
        assert (await brain.answer(turn(plain))).messages[0].text == "9 to 17"
    assert (await brain.answer(turn("order about parking hours"))).messages[0].text == "Which?"


async def test_small_talk_is_answered_where_it_is_all_and_ends_nothing() -> None:
    talks = (
        SmallTalk(words=("hi", "good morning"), reply="Hi again."),
        SmallTalk(words=("👍", "ok"), reply="Good."),
    )
    file = replace(FILE, small_talk=talks, greeting="Welcome.")
    assert await talk("Good morning!", "HI", "👍🏽👍", "👍\ufe0f", "hi you", file=file) == [
        "Hi again.",
        "Hi again.",
        "Good.",
        "Good.",
        UNKNOWN,
    ]
    assert await talk("returns", "ok", "1", file=file) == [RETURNS, "Good.", "Like this."]
    assert await talk("order", "ok", "ok", "7", file=file) == ["Which?", "Good.", "Good.", "Order 7"]
    new = dataclasses.replace(turn("hi"), is_first=True)
    assert (await ScriptedBrain(file, Path()).answer(new)).messages[0].text == "Welcome."


async def test_a_menu_that_is_gone_from_the_script_is_forgotten() -> None:
    said = await ScriptedBrain(FILE, Path()).answer(turn("1", memory={"menu": "GONE", "wrong": "1"}))
    assert (said.messages[0].text, said.memory) == (UNKNOWN, {})


async def test_every_path_through_the_menus_ends_in_words() -> None:
    brain = ScriptedBrain(FILE, Path())
    for name, menu in FILE.menus.items():
        for number, _ in enumerate(menu.choices, 1):
            said: Said = await brain.answer(turn(str(number), memory={"menu": name}))
            assert said.messages[0].text.strip() not in ("", UNKNOWN)


_known = st.sampled_from(["menu", "wrong", "command", "slot.order", "slot.", "text"])
_values = st.sampled_from(["RETURNS", "BROKEN", "ORDER", "HOURS", "1", "99", "-1", "٣", "12345", ""]) | st.text()


@given(st.dictionaries(_known | st.text(), _values, max_size=6), st.lists(st.text() | _values, max_size=3))
async def test_no_memory_and_no_text_keeps_a_script_from_answering(
    memory: dict[str, str], texts: list[str]
) -> None:
    said = await ScriptedBrain(FILE, Path()).answer(turn(*texts, memory=memory))
    assert any(message.text for message in said.messages)
    after = memory if said.memory is None else dict(said.memory)
    state = recall(after, FILE.commands, FILE.menus)
    assert remember(state) == after
    assert (
        sum(len(name.encode()) + len(value.encode("utf-8", "surrogatepass")) for name, value in after.items())
        < 4096
    )


def test_what_is_remembered_is_recalled() -> None:
    for state in (Shown(menu="BROKEN"), Shown(menu="BROKEN", wrong=True), None):
        assert recall(remember(state), FILE.commands, FILE.menus) == state
