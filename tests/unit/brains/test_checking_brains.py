"""What keeps a brain from starting anywhere is a mistake; what only this environment lacks is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_brains.llm.settings import OWN_TOOLS
from unit.brains.agent_files import FALLBACK, mistakes, warnings

BOT = 'brain = "webhook"\n[webhook]\nurl = "https://x/y"\n'
MODEL = '[llm]\nmodel = "openai:m"\nprompt = "p"\n'
TOOL = '[tools.{name}]\ndescription = "d"\nurl = "{url}"\n{more}\n'


@pytest.mark.parametrize("name", ["Host", "content-type", "Webhook-Id", "a b"])
def test_a_header_that_a_bot_cannot_be_sent_is_a_mistake(tmp_path: Path, name: str) -> None:
    more = 'Authorization = "${NOT_SET}"'
    (found,) = mistakes(tmp_path, f'{BOT}headers = {{ "{name}" = "x", {more} }}')
    assert found.startswith("2: [webhook] headers: ")
    assert name in found


def test_what_a_bot_needs_of_the_environment_is_told(tmp_path: Path) -> None:
    (found,) = warnings(tmp_path, f'{BOT}headers = {{ Authorization = "${{NOT_SET}}" }}')
    assert "NOT_SET is not set in this environment" in found
    assert warnings(tmp_path, BOT, PARLEY_WEBHOOK_SECRET="") == []


@pytest.mark.parametrize("name", OWN_TOOLS)
def test_no_tool_has_the_name_of_one_of_parleys_own(tmp_path: Path, name: str) -> None:
    tool = TOOL.format(name=name, url="https://x/", more="")
    (found,) = mistakes(tmp_path, MODEL + tool)
    assert found.startswith(f"4: tools.{name}: Parley has a tool of that name; choose another")
    assert mistakes(tmp_path, FALLBACK + tool) == []


@pytest.mark.parametrize("model", ["openai:", "anthropic: "])
def test_a_maker_without_a_model_is_a_mistake(tmp_path: Path, model: str) -> None:
    (found,) = mistakes(tmp_path, MODEL.replace("openai:m", model))
    assert "has no name; write it after the colon" in found


def test_a_model_of_a_maker_is_not_at_a_base_url(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, MODEL, PARLEY_LLM_BASE_URL="http://127.0.0.1:1/v1")
    assert "PARLEY_MODEL is openai:m, which is not at PARLEY_LLM_BASE_URL; write the bare name" in found


@pytest.mark.parametrize(
    ("url", "more", "expected"),
    [
        ("https://x/", 'headers = { Host = "x" }', "tools.order.headers: Host is written by Parley; leave it out"),
        ("https://x/", 'headers = { "a b" = "x" }', "tools.order.headers: 'a b' is no name of a header"),
        ("https://x/", 'headers = { X = "${}" }', "tools.order.headers.X: ${} names no variable"),
        ("https://x/?k=${a-b}", "", "tools.order.url: ${a-b} names no variable"),
        ("https://x/", "timeout_s = 0", "tools.order.timeout_s is 0; it must be above 0 and at most 60"),
        ("https://x/", "timeout_s = 61", "tools.order.timeout_s is 61; it must be above 0 and at most 60"),
    ],
)
def test_a_tool_that_cannot_be_called_is_a_mistake(tmp_path: Path, url: str, more: str, expected: str) -> None:
    (found,) = mistakes(tmp_path, FALLBACK + TOOL.format(name="order", url=url, more=more))
    assert expected in found


def test_what_looks_like_a_variable_in_a_description_is_none(tmp_path: Path) -> None:
    tool = TOOL.format(name="order", url="https://x/", more="").replace('"d"', '"costs ${PRICE}"')
    assert warnings(tmp_path, FALLBACK + tool) == []


REST = """
fallback = "f"
[llm]
model = "openai:"
prompt = "p"
[menus.SHOP]
prompt = "p"
choices = [{ label = "Hours", command = "HUORS" }]
[commands.HOURS]
reply = "r"
"""


def test_one_value_of_the_wrong_shape_hides_no_other_mistake(tmp_path: Path) -> None:
    others = mistakes(tmp_path, REST)
    assert len(others) == 2
    found = mistakes(tmp_path, REST + '[reply]\nmost_characters = "many"\n')
    assert found[:-1] == others
    assert found[-1].startswith('12: reply.most_characters is "many"')


@pytest.mark.parametrize("line", ['[commands.HELLO]\nreplay = "x"', '[comands.HUORS]\nreply = "r"'])
def test_what_a_part_of_the_wrong_shape_may_mend_is_not_told(tmp_path: Path, line: str) -> None:
    found = mistakes(tmp_path, f"{REST}{line}\n")
    assert not any("there is no command HUORS" in one for one in found)
