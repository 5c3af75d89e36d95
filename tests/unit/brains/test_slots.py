"""Questions that a command asks over several turns, and the tools that get the answers."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from parley_brains.agent_file import AgentFile, Handoff
from parley_brains.brain import BrainFailed, Turn
from parley_brains.scripted.brain import ScriptedBrain
from parley_brains.scripted.memory import Asking, recall, remember
from parley_brains.scripted.script import Choice as MenuChoice
from parley_brains.scripted.script import Command, Menu, Question
from parley_brains.scripted.words import find_value
from parley_brains.tools.calling import Tool, ToolFailed
from parley_common.settings import SettingsError

pytestmark = pytest.mark.anyio

ORDER = Question(
    slot="order", question="Which order?", pattern=r"\d{5}", mismatch="Five digits, not {text}.", again=2
)
CITY = Question(slot="city", question="Where to, for {order}?")
FILE = AgentFile(
    fallback="I don't know.",
    handoff=Handoff(words=("PERSON",)),
    commands={
        "ORDER": Command(reply="Order {order} to {city}.", questions=(ORDER, CITY)),
        "NOTE": Command(reply="Noted: {note}", questions=(Question(slot="note", question="What?"),)),
        "HOURS": Command(reply="9 to 17"),
    },
    menus={"RETURNS": Menu(prompt="About what?", choices=(MenuChoice(label="All", reply="All."),))},
)
WHICH, WHERE = "Which order?", "Where to, for 10234?"


def turn(text: str, memory: Mapping[str, str]) -> Turn:
    return Turn(key="k", channel="d", conversation="c", contact="", recipient="", texts=(text,), memory=memory)


async def talk(*texts: str, file: AgentFile = FILE) -> list[str]:
    brain, memory, answers = ScriptedBrain(file, Path()), dict[str, str](), list[str]()
    for text in texts:
        said = await brain.answer(turn(text, memory))
        memory = memory if said.memory is None else dict(said.memory)
        answers.append(said.messages[0].text)
    return answers


async def test_questions_are_asked_one_by_one_and_their_answers_fill_the_reply() -> None:
    assert await talk("order", "10234", "Bern", "10234") == [
        WHICH,
        WHERE,
        "Order 10234 to Bern.",
        "I don't know.\n\nTo reach a person, text PERSON.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ORDER 10234", WHERE, id="the first answer with the word"),
        pytest.param("order no. #10234, please", WHERE, id="words around it are no answer to the next"),
        pytest.param("ORDER", WHICH, id="the word alone"),
        pytest.param("ORDER where is it", WHICH, id="no answer with the word"),
        pytest.param(
            "ORDER 102345",
            "Five digits, not 102345.\n\nWhich order?",
            id="a longer number is no number of five digits",
        ),
        pytest.param("ORDER a10234", "Five digits, not a10234.\n\nWhich order?", id="part of a word"),
        pytest.param("ORDER 10 234", WHERE, id="digits with a space between"),
        pytest.param("NOTE be quick ", "Noted: be quick", id="a question that takes anything"),
    ],
)
async def test_what_follows_the_word_answers_the_questions(text: str, expected: str) -> None:
    assert (await talk(text))[0] == expected


@pytest.mark.parametrize("text", ["10234", "it is 10234.", "#10234", "order 10234", "10234?"])
async def test_an_answer_is_found_among_other_words(text: str) -> None:
    assert (await talk("ORDER", text))[1] == WHERE


async def test_a_wrong_answer_is_asked_for_again_and_then_left() -> None:
    wrong = "Five digits, not x.\n\nWhich order?"
    gave_up = "Sorry, I could not make sense of that, so let us leave it.\n\nTo reach a person, text PERSON."
    assert await talk("ORDER", "x", "x", "x", "x") == [
        WHICH,
        wrong,
        wrong,
        gave_up,
        "I don't know.\n\nTo reach a person, text PERSON.",
    ]


async def test_a_picture_is_no_answer() -> None:
    picture = "I cannot see pictures. Please use words.\n\nTo reach a person, text PERSON."
    assert await talk("NOTE", "", "", "", "a note") == ["What?", *[f"{picture}\n\nWhat?"] * 3, "Noted: a note"]
    assert await talk("") == [picture]
    assert (await talk("RETURNS", "", "1"))[1:] == [picture, "All."]


@pytest.mark.parametrize("text", ["never mind", "Nevermind!", "FORGET IT."])
async def test_who_wants_to_leave_leaves(text: str) -> None:
    assert (await talk("ORDER", text, "10234"))[1:] == [
        "All right, never mind.",
        "I don't know.\n\nTo reach a person, text PERSON.",
    ]


UNKNOWN = "I don't know.\n\nTo reach a person, text PERSON."


@pytest.mark.parametrize("text", ["hours", "Hours on sunday?"])
async def test_another_command_keeps_the_question_for_one_turn(text: str) -> None:
    assert await talk("ORDER", text, "10234") == [WHICH, "9 to 17", WHERE]
    assert await talk("ORDER", text, "no", "10234") == [WHICH, "9 to 17", UNKNOWN, UNKNOWN]
    assert await talk("ORDER", text, text, "10234") == [WHICH, "9 to 17", "9 to 17", UNKNOWN]


async def test_a_menu_in_between_ends_the_questions() -> None:
    answers = await talk("ORDER", "returns", "1", "10234")
    assert answers[1:3] == ["About what?\n\n1. All", "All."]
    assert answers[3].startswith("Sorry, I do not know which one you mean.")


@pytest.mark.parametrize("text", ["my order is 10234", "where's order 10234?", "so 10234 is the ORDER I mean"])
async def test_a_command_is_called_by_its_word_anywhere_beside_an_answer_to_its_question(text: str) -> None:
    assert await talk(text) == [WHERE]


@pytest.mark.parametrize("text", ["my order", "10234", "my orders 10234", "my order 1023"])
async def test_neither_the_word_nor_an_answer_alone_calls_it_from_within_a_text(text: str) -> None:
    assert await talk(text) == [UNKNOWN]


async def test_a_question_in_between_is_answered_from_the_knowledge_and_is_no_wrong_answer(tmp_path: Path) -> None:
    (tmp_path / "shop.md").write_text("# Parking\nBehind the library.")
    brain, memory = ScriptedBrain(replace(FILE, knowledge="."), tmp_path), {"command": "ORDER"}
    for text in ("parking?", "is there parking", "parking?", "any parking there?"):
        said = await brain.answer(turn(text, memory))
        assert said.messages[0].text == "**Parking**\n\nBehind the library.\n\nWhich order?"
        assert said.memory is None


@pytest.mark.parametrize("pattern", [r"([A-Z]+-?)+\d+", r"(a|a)+b", r"(\w+\s?)+!"])
async def test_no_pattern_and_text_keep_the_process_busy(pattern: str) -> None:
    started = time.process_time()
    for text in ("a" * 26, "a" * 400):
        assert find_value(f"{text}.", pattern) is None
    assert time.process_time() - started < 5
    handler = signal.getsignal(signal.SIGVTALRM)
    assert handler is signal.SIG_DFL


@pytest.mark.parametrize(
    ("pattern", "text", "value"),
    [
        (r"(?i)[a-z]{2}\d+", "it is AB12, I think", "AB12"),
        (r"(?x) \d{5} # five", "it is 10234.", "10234"),
        (r"(?i)(?x) a \d # one", "A1", "A1"),
        (r"\d{2}|\d{4}", "1234", "1234"),
        (r"\d{5}", "10 234", "10234"),
        (r"\d{2}", "10 234", "10"),
    ],
)
def test_a_pattern_may_have_flags_and_is_found_as_a_word(pattern: str, text: str, value: str) -> None:
    found = find_value(text, pattern)
    assert found is not None
    assert found[0] == value


async def test_an_answer_of_any_words_may_begin_with_a_command_and_be_none() -> None:
    assert (await talk("NOTE", "Hours are too short"))[1] == "Noted: Hours are too short"
    assert (await talk("NOTE", "Hours"))[1] == "9 to 17"


async def test_braces_in_an_answer_stay_what_they_are() -> None:
    assert (await talk("NOTE", "{menu} {note}"))[1] == "Noted: {menu} {note}"


async def test_a_long_answer_is_kept_in_part() -> None:
    assert (await talk("NOTE", "x" * 1000))[1] == "Noted: " + "x" * 160


def test_a_remembered_answer_that_is_too_long_was_none() -> None:
    for length, kept in ((160, True), (161, False)):
        memory = {"command": "ORDER", "slot.order": "1" * length}
        state = recall(memory, FILE.commands, FILE.menus)
        assert isinstance(state, Asking)
        assert ("order" in state.values) == kept


def test_what_asks_nothing_more_is_not_recalled() -> None:
    for memory in ({"command": "HOURS"}, {"command": "NOTE", "slot.note": "all said"}):
        assert recall(memory, FILE.commands, FILE.menus) is None


def test_of_a_long_text_the_beginning_is_searched_for_an_answer_that_is_not_too_long() -> None:
    assert find_value("a " * 190 + "10234", r"\d+") == ("10234", ("a " * 190).strip())
    assert find_value("a " * 200 + "10234", r"\d+") is None
    assert find_value("1" * 160, r"\d+") == ("1" * 160, "")
    assert find_value("1" * 161, r"\d+") is None


@given(st.text(), st.text(), st.text())
async def test_whatever_is_remembered_is_small_and_recalled(order: str, city: str, text: str) -> None:
    memory = {"command": "ORDER", "slot.order": order, "slot.city": city, "wrong": text}
    state = recall(memory, FILE.commands, FILE.menus)
    if isinstance(state, Asking):
        assert recall(remember(state), FILE.commands, FILE.menus) == state
        assert 0 <= state.wrong <= 5
        assert all(0 < len(value) <= 160 for value in state.values.values())
    said = await ScriptedBrain(FILE, Path()).answer(turn(text, memory))
    assert said.messages[0].text


class Shop:
    """Tools that answer what they are told to, and keep what they were asked."""

    def __init__(self, answer: str | ToolFailed) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, object], str]] = []
        self.closed = False

    async def call(self, name: str, arguments: Mapping[str, object], *, key: str) -> str:
        self.asked.append((name, dict(arguments), key))
        if isinstance(self.answer, ToolFailed):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        self.closed = True


def with_tool(reply: str, failed: str = "") -> AgentFile:
    command = Command(reply=reply, tool="status", questions=(ORDER,), failed=failed)
    tool = Tool(description="d", url="https://shop.example/{order}", parameters={"order": "its number"})
    return AgentFile(commands={"ORDER": command}, tools={"status": tool})


@pytest.mark.parametrize(
    ("result", "reply", "expected"),
    [
        ("on its way", "{order}: {result}", "10234: on its way"),
        ("{order}", "{order}: {result}", "10234: {order}"),
        (
            '{"at": {"city": "Zürich", "days": [3, 4]}, "late": false}',
            "{result.at.city} {result.at.days.1}",
            "Zürich 4",
        ),
        ('{"late": false, "none": null}', "{result.late}{result.none}{result.gone.far}", "false"),
        ("no JSON", "[{result.state}]", "[]"),
        ("[" * 100_000, "[{result.0}]", "[]"),
    ],
)
async def test_a_tool_gets_the_answers_and_its_result_is_said(result: str, reply: str, expected: str) -> None:
    shop = Shop(result)
    brain = ScriptedBrain(with_tool(reply), Path(), {}, shop)
    said = await brain.answer(turn("order 10234", {}))
    assert said.messages[0].text == expected
    assert shop.asked == [("status", {"order": "10234"}, "k")]
    await brain.close()
    assert shop.closed


async def test_a_tool_without_an_answer_is_told_in_the_words_of_the_script_or_fails_the_turn() -> None:
    failing = Shop(ToolFailed("it answered 500"))
    brain = ScriptedBrain(with_tool("r", failed="Not now, {order}."), Path(), {}, failing)
    said = await brain.answer(turn("10234", {"command": "ORDER"}))
    assert (said.messages[0].text, said.memory) == ("Not now, 10234.", {})
    with pytest.raises(BrainFailed, match=r"^tool status: it answered 500$"):
        await ScriptedBrain(with_tool("r"), Path(), {}, failing).answer(turn("order 10234", {}))


async def test_only_a_script_that_calls_tools_acts() -> None:
    acting = ScriptedBrain(with_tool("r"), Path(), {})
    assert acting.acts
    await acting.close()
    assert not ScriptedBrain(FILE, Path()).acts


async def test_a_script_starts_without_the_credentials_of_tools_that_it_does_not_call() -> None:
    secret = Tool(description="d", url="https://shop.example/", headers={"Authorization": "${SHOP_TOKEN}"})
    assert not ScriptedBrain(AgentFile(fallback="f", tools={"other": secret}), Path(), {}).acts
    used = AgentFile(commands={"GO": Command(reply="r", tool="other")}, tools={"other": secret})
    with pytest.raises(SettingsError, match="SHOP_TOKEN"):
        ScriptedBrain(used, Path(), {})
