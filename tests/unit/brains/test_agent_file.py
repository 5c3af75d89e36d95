"""Reading agent files: each mistake is one sentence with its line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_brains.agent_file import AgentFile, BrainName
from parley_brains.agents import EXAMPLE, read_agent_file
from parley_brains.scripted.script import Command
from parley_brains.wording import Wording
from parley_common.settings import SettingsError
from unit.brains.agent_files import FALLBACK, mistakes, written


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        read_agent_file(path, {})
    return str(refused.value)


def test_a_file_is_read_however_its_tables_are_written(tmp_path: Path) -> None:
    expected = AgentFile(
        brain=BrainName.SCRIPTED,
        fallback=Wording(text="f", whatsapp="*f*"),
        commands={"NOW": Command(reply="r", menu="m"), "THEN": Command(reply="t")},
    )
    tables = """
        brain = "scripted"
        [fallback]
        text = "f"
        whatsapp = "*f*"
        [commands.NOW]
        reply = "r"
        menu = "m"
        [commands.THEN]
        reply = "t"
    """
    short = """
        brain = "scripted"
        fallback = { text = "f", whatsapp = "*f*" }
        commands.NOW = { reply = "r", menu = "m" }
        commands.THEN.reply = "t"
    """
    assert read_agent_file(written(tmp_path, tables), {}) == expected
    assert read_agent_file(written(tmp_path, short), {}) == expected


def test_the_example_has_no_mistakes() -> None:
    assert read_agent_file(EXAMPLE, {}).brain in (None, BrainName.SCRIPTED)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param("\nbrian = 'x'", "2: nothing is called brian; did you mean brain?", id="a typo"),
        pytest.param("\n\nqqq = 1", "3: nothing is called qqq; known there: brain, ", id="a word like no other"),
        pytest.param("Brain = 'llm'", "1: nothing is called Brain; did you mean brain?", id="a wrong case"),
        pytest.param("greeting = 5", "1: greeting is 5; write a text in quotes", id="a number for a text"),
        pytest.param("greeting = ['a']", "1: greeting is a list; write a text in quotes", id="a list for a text"),
        pytest.param("greeting = 2026-11-21", "1: greeting is a time; write a text", id="a day for a text"),
        pytest.param("daily_tokens = 1.5", "1: daily_tokens is 1.5; write a whole number", id="not whole"),
        pytest.param("daily_tokens = true", "1: daily_tokens is true; write a whole number", id="a yes"),
        pytest.param("daily_tokens = -1", "1: daily_tokens is -1; it must be at least 0", id="too small"),
        pytest.param("reply = 3", "1: reply is 3; write a table [reply]", id="no table"),
        pytest.param("commands = ['A']", "1: commands is a list; write a table [commands]", id="no tables"),
        pytest.param("brain = 'lmm'", '1: brain is "lmm"; did you mean "llm"?', id="nearly a choice"),
        pytest.param(
            "brain = 'parrot'", '1: brain is "parrot"; write "scripted", "llm" or "webhook"', id="no choice"
        ),
        pytest.param(
            "[reply]\n\nwithin_s = 'long'", '3: reply.within_s is "long"; write a number', id="in a table"
        ),
        pytest.param(
            "\nreply = { most_characters = 100, within = 3 }",
            "2: nothing is called reply.within; did you mean within_s?",
            id="in an inline table",
        ),
        pytest.param(
            "a = 1\n[handoff]\nwords = [\n'HUMAN',\n3,\n]",
            "5: handoff.words #2 is 3; write a text",
            id="in a list",
        ),
        pytest.param(
            "handoff.words = 'HUMAN'", '1: handoff.words is "HUMAN"; write a list, like ["…"]', id="no list"
        ),
        pytest.param(
            "[commands.A]\nreply = 'a'\n[commands.B]\nmenu = 'b'",
            '3: commands.B has no reply; add reply = "…"',
            id="something missing",
        ),
        pytest.param(
            "commands.A.reply.text = 'a'\ncommands.A.reply.media = 'a.png'",
            '2: commands.A.reply.media is "a.png"; write a list',
            id="one of several types, with dotted keys",
        ),
        pytest.param(
            "[[commands]]\nreply = 'a'", "1: commands is a list; write a table [commands]", id="an array of tables"
        ),
        pytest.param(
            "[commands.'two words']\nrepply = 'a'",
            "2: nothing is called commands.'two words'.repply; did you mean ",
            id="a key in quotes",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_fix(tmp_path: Path, toml: str, expected: str) -> None:
    found = mistakes(tmp_path, toml)
    assert any(one.startswith(expected) for one in found), found


def test_all_mistakes_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    toml = "greeting = 5\n[reply]\nwithin_s = 'x'\nmost = 1\n[commands.STOP]\nreply = 'no'\n[commands.A]\n"
    found = mistakes(tmp_path, toml)
    assert [one.partition(":")[0] for one in found] == ["1", "3", "4", "5", "7"], found


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        pytest.param('a = 1\nb = "unclosed', 2, id="quotes that are open at the end"),
        pytest.param('a = 1\nb = "unclosed\nc = 2\n', 2, id="quotes that are open in the middle"),
        pytest.param("a = 1\n\nb = hello\n", 3, id="no quotes"),
        pytest.param("a = 1\na = 2\n", 2, id="a key that stands there twice"),
        pytest.param("[a]\n[b]\n[a]\n", 3, id="a table that stands there twice"),
        pytest.param('a = "\\d"\n', 1, id="a backslash"),
        pytest.param("a = 1 b = 2\n", 1, id="two keys on a line"),
        pytest.param('a = """x"""\nb = """\n\nc = 1\n', 2, id="a long text that is not closed"),
        pytest.param("a = [\n1,\n\n", 2, id="a list that is not closed"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, toml: str, line: int) -> None:
    path = written(tmp_path, toml)
    assert refusal(path).startswith(f"agent file {path}:{line}: this is not TOML: ")
    assert "; " in refusal(path)


def test_the_start_tells_of_the_first_mistake_and_how_to_see_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, "greeting = 5\nreply = 3\nbrian = 1\n")
    assert refusal(path) == (
        f'agent file {path}:1: greeting is 5; write a text in quotes, like "…" (2 more: parley agent check {path})'
    )
    assert "more" not in refusal(written(tmp_path, "greeting = 5\n"))


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b'greeting = "a"\n# \xff\xfe\n')
    assert refusal(path) == f"agent file {path}:2: this is no text in UTF-8; save the file as UTF-8"


def test_a_file_that_windows_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b'\xef\xbb\xbffallback = "f"\r\ngreeting = "g"\r\n')
    assert read_agent_file(path, {}).greeting == "g"


@pytest.mark.parametrize(("name", "reason"), [("missing.toml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, reason: str) -> None:
    said = refusal(tmp_path / name)
    assert said.startswith(f"agent file {tmp_path / name} cannot be read: {reason}")
    assert said.endswith("set PARLEY_AGENT_FILE to one that can")


def test_a_file_with_the_least_in_it_is_one(tmp_path: Path) -> None:
    assert mistakes(tmp_path, FALLBACK) == []
    assert mistakes(tmp_path, "") == [
        "1: the script has nothing to say; add commands, menus, knowledge or a fallback"
    ]
