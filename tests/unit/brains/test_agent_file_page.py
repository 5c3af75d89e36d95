"""The reference of the agent file holds every key with its default, and its examples are what is really said."""

from __future__ import annotations

import asyncio
import json
import re
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from parley_brains.agent_file import AgentFile, Handoff, ReplyLimits
from parley_brains.agents import read_agent
from parley_brains.chat import Chat
from parley_brains.checking.file import check
from parley_brains.llm.settings import Llm
from parley_brains.scripted.script import Choice, Command, Menu, Question, SmallTalk
from parley_brains.tools.settings import Parameter, Tool
from parley_brains.webhook.settings import Webhook
from parley_brains.wording import Wording
from parley_common.domain.keywords import HELP_WORDS, START_WORDS, STOP_WORDS

PAGE = (Path(__file__).parents[3] / "docs" / "agent-files.md").read_text(encoding="utf-8")
STRUCTS: dict[str, type[msgspec.Struct]] = {
    "The whole file": AgentFile,
    "`[reply]`": ReplyLimits,
    "`[handoff]`": Handoff,
    "Words": Wording,
    "`[commands.NAME]`": Command,
    "`[[commands.NAME.questions]]`": Question,
    "`[menus.NAME]`": Menu,
    "`[[menus.NAME.choices]]`": Choice,
    "`[[small_talk]]`": SmallTalk,
    "`[llm]`": Llm,
    "`[tools.NAME]`": Tool,
    "`[tools.NAME.parameters.NAME]`": Parameter,
    "`[webhook]`": Webhook,
}
SECTIONS = dict(re.findall(r"^#{2,3} (.+)\n((?:(?!#{2,3} ).*\n)*)", PAGE, re.MULTILINE))


def shown(field: msgspec.structs.FieldInfo) -> str:
    """A default as the page writes it."""
    value = field.default
    if field.required:
        return "required"
    if value is msgspec.NODEFAULT or value in (None, "", ()) or isinstance(value, msgspec.Struct):
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, StrEnum):
        value = value.value
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)}`"


@pytest.mark.parametrize("heading", STRUCTS)
def test_a_table_of_the_page_holds_every_key_with_its_default(heading: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| ", SECTIONS[heading], re.MULTILINE))
    assert rows == {field.encode_name: shown(field) for field in msgspec.structs.fields(STRUCTS[heading])}


def test_the_page_names_every_word_that_carriers_act_on() -> None:
    for word in STOP_WORDS | START_WORDS | HELP_WORDS:
        assert re.search(rf"\b{word}\b", SECTIONS["Checking"]), word


def test_links_within_the_page_lead_to_its_headings() -> None:
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in SECTIONS}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= anchors


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The page's own file."""
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "returns.md").write_text("# Returns\n\nWithin 30 days.\n")
    path = tmp_path / "shop.toml"
    path.write_text(toml)
    return path


def test_the_file_of_the_page_has_no_mistakes(shop: Path) -> None:
    assert check(shop, {}).remarks == ()


def test_the_mistakes_of_the_page_are_told_as_it_says(shop: Path) -> None:
    toml = (
        shop.read_text()
        .replace("Hello!", "{oder}")
        .replace("reply = ", "repply = ")
        .replace('"PERSON"]', '"PERSON", "END"]')
    )
    shop.write_text(toml)
    told = [f"shop.toml:{one.line}: {one}" for one in check(shop, {}).remarks]
    said = re.findall(r"^shop\.toml:\d+: .*$", SECTIONS["Checking"], re.MULTILINE)
    assert said == told


def test_the_talk_of_the_page_is_what_is_said(shop: Path) -> None:
    chat = Chat(read_agent(shop, {}))
    for text, answer in re.findall(r"^you> (.*)\nbot> (.*)$", SECTIONS["Chatting"], re.MULTILINE):
        (message,) = asyncio.run(chat.say(text)).messages
        assert message.parts == (answer,)
        assert f"# 1 part, {message.segments} segment of GSM-7, {len(answer)} characters" in SECTIONS["Chatting"]
