"""What is wrong with a script is found before anybody texts it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from parley_brains.agent_file import AgentFile
from parley_brains.scripted.brain import ScriptedBrain
from parley_brains.scripted.checking import filled_at, script_findings
from parley_common.settings import SettingsError

CHOICES = [{"label": "Yes please", "reply": "r"}, {"label": "Hours", "command": "HOURS"}]
GOOD = {
    "fallback": "f",
    "commands": {
        "HOURS": {"reply": "r", "also": ["OPEN"]},
        "ORDER": {
            "reply": "{order} {result}",
            "tool": "status",
            "questions": [{"slot": "order", "question": "Which?", "pattern": "[0-9]+"}],
        },
    },
    "menus": {"RETURNS": {"prompt": "p", "choices": CHOICES}},
    "tools": {"status": {"description": "d", "url": "https://shop.example/{order}", "parameters": {"order": "n"}}},
}


def changed(path: str, value: object) -> AgentFile:
    """The good script with one thing changed."""
    document = msgspec.json.decode(msgspec.json.encode(GOOD))
    *steps, last = path.split("/")
    inner = document
    for step in steps:
        inner = inner[int(step)] if isinstance(inner, list) else inner.setdefault(step, {})
    inner[int(last) if isinstance(inner, list) else last] = value
    return msgspec.convert(document, AgentFile)


def test_a_good_script_has_no_findings() -> None:
    assert list(script_findings(changed("fallback", "f"))) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("menus/RETURNS/choices", [], "menus.RETURNS has no choices"),
        ("menus/RETURNS/choices/0/label", "  ", "has an empty label"),
        ("menus/RETURNS/choices/0/label", "HOURS!", "is another choice too"),
        ("menus/RETURNS/choices/0/label", "2", "is another choice too"),
        ("menus/RETURNS/choices/0/label", "two", "is another choice too"),
        ("menus/RETURNS/choices/0/label", "Cancel", "carriers act on"),
        ("menus/RETURNS/choices/0/reply", "", "leads nowhere"),
        ("menus/RETURNS/choices/0/menu", "RETURNS", "leads to several things"),
        ("menus/RETURNS/choices/1/command", "HOUR", "there is no command HOUR; did you mean HOURS?"),
        ("menus/RETURNS/choices/0", {"label": "a", "menu": "GONE"}, "there is no menu GONE; add [menus.GONE]"),
        ("menus/RETURNS/choices", [{"label": f"n{i}", "reply": "r"} for i in range(13)], "has 13 choices"),
        ("menus/YES", {"prompt": "p", "choices": CHOICES}, "carriers act on"),
        ("menus/TWO WORDS", {"prompt": "p", "choices": CHOICES}, "can't be called"),
        ("menus/hours", {"prompt": "p", "choices": CHOICES}, "menus.hours is the same word as commands.HOURS"),
        ("menus/RETURNS/also", ["open"], "is the same word as commands.HOURS.also #1"),
        ("commands/HOURS/also", ["ORDER"], "is the same word as commands.ORDER"),
        ("commands/HOURS/also", ["END"], "carriers act on"),
        ("commands/HOURS/also", ["open?"], "can't be called"),
        ("handoff/words", ["open"], "is the same word as handoff.words #1"),
        ("leave_words", ["QUIT"], "carriers act on"),
        ("leave_words", ["hours"], "leave_words #1 is the same word as commands.HOURS"),
        ("commands/ORDER/questions/0/pattern", "[", "is no pattern"),
        ("commands/ORDER/questions/0/pattern", "[0-9]*", "fits nothing at all"),
        ("commands/ORDER/questions/0/pattern", r"([A-Z]+-?)+\d+", "takes too long for some texts"),
        ("commands/ORDER/questions/0/pattern", "a)(b", "is no pattern"),
        ("commands/ORDER/questions/0/pattern", "(?#", "is no pattern"),
        ("commands/HOURS/also", ["never mind"], "is the same word as commands.HOURS.also #1"),
        ("commands/HOURS/also", ["?? !!"], "can't be called"),
        (
            "menus/RETURNS/choices/0/label",
            "x" * 1600,
            "the choices have 1612 characters, more than reply.most_char",
        ),
        ("small_talk", [{"words": ["open"], "reply": "r"}], "is the same word as commands.HOURS.also #1"),
        ("small_talk", [{"words": ["👍"], "reply": "r"}, {"words": ["👍👍"], "reply": "r"}], "is the same word"),
        ("small_talk", [{"words": ["..."], "reply": "r"}], "can't be called"),
        ("small_talk", [{"words": ["STOP"], "reply": "r"}], "carriers act on"),
        ("commands/ORDER/questions/0/slot", "my order", "is no name"),
        ("commands/ORDER/questions/0/slot", "x" * 33, "is no name"),
        ("commands/ORDER/questions/0/slot", "text", "means something else"),
        ("commands/ORDER/questions/0/slot", "number", "status has no parameter number"),
        ("commands/ORDER/questions", [], "nothing is asked for order"),
        ("commands/ORDER/questions", [{"slot": f"s{i}", "question": "?"} for i in range(6)], "asks 6 questions"),
        ("commands/ORDER/questions", [{"slot": "order", "question": "?"}] * 2, "means something else"),
        ("commands/ORDER/questions/0/question", "", "is empty"),
        ("commands/ORDER/tool", "statsu", "there is no tool statsu; did you mean status?"),
    ],
)
def test_what_cannot_be_followed_is_refused(path: str, value: object, expected: str) -> None:
    file = changed(path, value)
    found = [f"{finding.what}; {finding.fix}" for finding in script_findings(file)]
    assert [one for one in found if expected in one], found
    with pytest.raises(SettingsError):
        ScriptedBrain(file, Path(), {})


@pytest.mark.parametrize(
    "pattern",
    [r"(?i)[a-z]{2}\d+", r"(?x) \d{5} # five", r"[^@\s]+@[\w-]+(?:\.[\w-]+)+", r"(?:\d[ -]?){13,19}", r"\w+ ?\w*"],
)
def test_a_usual_pattern_is_accepted(pattern: str) -> None:
    file = changed("commands/ORDER/questions/0/pattern", pattern)
    assert list(script_findings(file)) == []
    ScriptedBrain(file, Path(), {})


def test_phrases_and_emoji_are_accepted_where_they_can_be_heard() -> None:
    assert list(script_findings(changed("commands/HOURS/also", ["WHAT'S OPEN", "when, please"]))) == []
    assert list(script_findings(changed("small_talk", [{"words": ["👍", "ALL RIGHT"], "reply": "r"}]))) == []


def test_what_is_filled_depends_on_the_place() -> None:
    file = changed("fallback", "f")
    assert filled_at(file, ("commands", "ORDER", "reply")) == {"order", "result"}
    assert filled_at(file, ("commands", "ORDER", "questions", 0, "question")) == {"order"}
    assert filled_at(file, ("commands", "HOURS", "reply")) == frozenset()
    assert filled_at(file, ("greeting",)) == frozenset()
