"""The scripted brain and its agent files."""

from pathlib import Path

import pytest

from parley_brains.agent_file import AgentFile, Handoff
from parley_brains.agents import read_agent_file
from parley_brains.brain import Kind, Turn
from parley_brains.scripted.brain import ScriptedBrain
from parley_brains.scripted.script import Command
from parley_brains.wording import Wording

pytestmark = pytest.mark.anyio

MENU = "- MENU: this list\n- HOURS: when we are open"
SCRIPT = AgentFile(
    greeting="Hello! {menu}",
    fallback="I don't know {text}.",
    failure="Sorry.",
    commands={
        "MENU": Command(reply="You can text:\n{menu}", menu="this list"),
        "hours": Command(reply="9 to 17", menu="when we are open"),
        "echo": Command(reply="<{text}>"),
    },
)


async def answer(*bodies: str, is_first: bool = False, script: AgentFile = SCRIPT) -> str:
    turn = Turn(
        key="k", channel="default", conversation="c", contact="", recipient="", texts=bodies, is_first=is_first
    )
    (message,) = (await ScriptedBrain(script, Path()).answer(turn)).messages
    return message.text


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        pytest.param("HOURS", "9 to 17", id="as written in no file"),
        pytest.param("hours", "9 to 17", id="in small letters"),
        pytest.param("  Hours?! ", "9 to 17", id="with punctuation"),
        pytest.param("hours on sunday", "9 to 17", id="with words after it"),
        pytest.param("echo", "<>", id="nothing follows the word"),
        pytest.param("echo  two  words", "<two  words>", id="what follows the word"),
        pytest.param("echo, then this", "<then this>", id="a comma after the word"),
        pytest.param("echo\nnext line\nlast", "<next line\nlast>", id="lines follow the word"),
        pytest.param("menu", f"You can text:\n{MENU}", id="the menu leaves out what has no line"),
        pytest.param("opening hours", "I don't know opening hours.", id="a command is the first word"),
        pytest.param("echoes", "I don't know echoes.", id="a word that only starts like a command"),
        pytest.param("...", "I don't know ....", id="only punctuation"),
        pytest.param("", "I cannot see pictures. Please use words.", id="a picture without words"),
        pytest.param("(menu)", "I don't know (menu).", id="a word in marks that are meant"),
        pytest.param("👋", "I don't know 👋.", id="an emoji"),
    ],
)
async def test_a_command_is_known_by_the_first_word(text: str, reply: str) -> None:
    assert await answer(text) == reply


@pytest.mark.parametrize("braces", ["{menu}", "{text}", "{0}", "{", "{{text}}", r"\1 \g<0>"])
async def test_braces_of_a_person_stay_what_they_are(braces: str) -> None:
    assert await answer(f"echo {braces}") == f"<{braces}>"
    assert await answer(braces) == f"I don't know {braces}."


async def test_texts_of_one_turn_are_lines_of_one_text() -> None:
    assert await answer("so", "many", "texts") == "I don't know so\nmany\ntexts."


async def test_a_hole_that_nothing_fills_stays() -> None:
    script = AgentFile(fallback="{nobody} {text.part} {text}")
    assert await answer("x", script=script) == "{nobody}  x"


@pytest.mark.parametrize(
    ("fallback", "offer", "said"),
    [
        ("No.", "", "No.\n\nTo reach a person, text A PERSON."),
        ("No.", "Text A PERSON.", "No.\n\nText A PERSON."),
        ("No. Text a person!", "", "No. Text a person!"),
    ],
)
async def test_a_person_is_offered_once(fallback: str, offer: str, said: str) -> None:
    script = AgentFile(fallback=fallback, offer=offer, handoff=Handoff(words=("A PERSON",)))
    assert await answer("x", script=script) == said


async def test_somebody_new_is_greeted() -> None:
    assert await answer("hi there", is_first=True) == f"Hello! {MENU}"


async def test_somebody_new_is_answered_where_there_is_no_greeting() -> None:
    assert await answer("hi", is_first=True, script=AgentFile(fallback="f")) == "f"


async def test_somebody_new_who_asks_by_command_is_answered() -> None:
    assert await answer("hours", is_first=True) == "9 to 17"


async def test_asking_the_script_costs_nothing() -> None:
    assert ScriptedBrain(SCRIPT, Path()).acts is False


async def test_a_file_that_says_no_apology_has_one_all_the_same() -> None:
    words = SCRIPT
    assert words.apology.startswith("Sorry")
    assert "tomorrow" in words.capped


@pytest.mark.parametrize("texts", [("hello", "HOURS"), ("", "hours!")])
async def test_a_command_is_heard_among_texts_that_came_together(texts: tuple[str, ...]) -> None:
    assert await answer(*texts) == "9 to 17"


async def test_another_word_calls_the_same_command() -> None:
    script = AgentFile(fallback="f", commands={"HOURS": Command(reply="9 to 17 {text}", also=("open", "OPENING"))})
    assert await answer("Open? on sunday", script=script) == "9 to 17 on sunday"
    assert await answer("opening", script=script) == "9 to 17 "


async def test_each_kind_of_phone_gets_its_words_and_all_get_the_files(tmp_path: Path) -> None:
    said = Wording(text="plain {text}", whatsapp="*bold* {text}", media=("map.png", "https://shop.example/a.pdf"))
    brain = ScriptedBrain(AgentFile(commands={"WHERE": Command(reply=said)}), tmp_path)
    texts = {}
    for kind in Kind:
        turn = Turn(
            key="k", channel="d", conversation="c", contact="", recipient="", texts=("where now",), kind=kind
        )
        (message,) = (await brain.answer(turn)).messages
        texts[kind] = message.text
        assert [(file.source, file.content_type) for file in message.files] == [
            (str(tmp_path / "map.png"), "image/png"),
            ("https://shop.example/a.pdf", "application/pdf"),
        ]
    assert texts == {Kind.SMS: "plain now", Kind.WHATSAPP: "*bold* now"}


async def test_the_words_for_leaving_are_answered_whenever_they_are_texted() -> None:
    assert await answer("Never mind!") == "All right, never mind."
    assert await answer("never mind", "hours") == "9 to 17"


def written(tmp_path: Path, toml: str) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(toml, encoding="utf-8")
    return path


ANSWERS = 'greeting = "g"\nfallback = "f"\nfailure = "x"\n'


def test_a_script_is_read_from_toml(tmp_path: Path) -> None:
    script = read_agent_file(written(tmp_path, ANSWERS + '[commands.NOW]\nreply = "r"\n'))
    assert script == AgentFile(greeting="g", fallback="f", failure="x", commands={"NOW": Command(reply="r")})
