"""The scripted brain and its agent files."""

from pathlib import Path

import pytest

from parley_brains.agent_file import AgentFile
from parley_brains.agents import EXAMPLE, read_agent_file
from parley_brains.brain import Turn
from parley_brains.scripted.brain import ScriptedBrain
from parley_brains.scripted.script import Command
from parley_common.settings import SettingsError

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
        pytest.param("", "I don't know .", id="a picture without words"),
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


async def test_somebody_new_is_greeted() -> None:
    assert await answer("hi there", is_first=True) == f"Hello! {MENU}"


async def test_somebody_new_who_asks_by_command_is_answered() -> None:
    assert await answer("hours", is_first=True) == "9 to 17"


async def test_asking_the_script_costs_nothing() -> None:
    assert ScriptedBrain(SCRIPT, Path()).acts is False


async def test_a_file_that_says_no_apology_has_one_all_the_same() -> None:
    words = SCRIPT
    assert words.apology.startswith("Sorry")
    assert "tomorrow" in words.capped


async def test_the_example_agent_can_be_read_and_answers() -> None:
    example = read_agent_file(EXAMPLE)
    greeting = await answer("hi", is_first=True, script=example)
    assert "- MENU: this list" in greeting
    assert "{" not in greeting


def written(tmp_path: Path, toml: str) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(toml, encoding="utf-8")
    return path


ANSWERS = 'greeting = "g"\nfallback = "f"\nfailure = "x"\n'


def test_a_script_is_read_from_toml(tmp_path: Path) -> None:
    script = read_agent_file(written(tmp_path, ANSWERS + '[commands.NOW]\nreply = "r"\n'))
    assert script == AgentFile(greeting="g", fallback="f", failure="x", commands={"NOW": Command(reply="r")})


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        read_agent_file(path)
    return str(refused.value)


@pytest.mark.parametrize("word", ["STOP", "stop", "Start", "YES", "HELP", "info", "unsubscribe", "END"])
def test_a_word_that_carriers_act_on_cannot_be_a_command(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, f'{ANSWERS}[commands.{word}]\nreply = "r"\n')
    assert refusal(path) == f"agent file {path}: command {word} is a word carriers act on; choose another"


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        pytest.param('greeting = "unclosed', "Unterminated|line 1", id="no TOML"),
        pytest.param(f"{ANSWERS}typo = 1\n", "unknown field `typo`", id="a word nobody knows"),
        pytest.param(f"{ANSWERS}[commands.A]\nmenu = 'm'\n", "missing required field `reply`", id="no reply"),
        pytest.param("greeting = 5", r"`\$.greeting`", id="a number"),
    ],
)
def test_a_wrong_agent_file_is_one_sentence_with_its_path(tmp_path: Path, toml: str, words: str) -> None:
    path = written(tmp_path, toml)
    with pytest.raises(SettingsError, match=words) as refused:
        read_agent_file(path)
    assert str(refused.value).startswith(f"agent file {path}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b"\xff\xfe")
    assert refusal(path).startswith(f"agent file {path}: ")


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "missing.toml"
    assert refusal(path) == f"agent file {path} cannot be read: No such file or directory; set PARLEY_AGENT_FILE"


@pytest.mark.parametrize(
    "commands",
    [
        pytest.param('[commands."opening hours"]\nreply = "r"\n', id="two words"),
        pytest.param('[commands."hours?"]\nreply = "r"\n', id="punctuation that is cut off a text"),
        pytest.param('[commands.A]\nreply = "r"\n[commands.a]\nreply = "s"\n', id="one word in two cases"),
        pytest.param('[commands.""]\nreply = "r"\n', id="no word"),
    ],
)
def test_a_command_that_cannot_be_called_is_refused(tmp_path: Path, commands: str) -> None:
    assert "command" in refusal(written(tmp_path, ANSWERS + commands))
