"""A model or a bot that is slow, silent, talkative or broken: what the person gets.

``docs/when-a-brain-fails.md`` says it in a table, which is held here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.bot_server import SECRET, Answering, BotRequest, fails, hangs_up, replies, running_bot
from harness.bot_server import Reply as BotReply
from harness.bot_server import says as bot_says
from harness.model_replies import Reply, cuts_off, garbage, hangs, html, refuses, says
from harness.model_server import Asked, blocking_model_server
from harness.people import Person, simulator_of
from harness.ports import free_port
from harness.stack import Stack, running_stack
from harness.waiting import wait_until

pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "when-a-brain-fails.md").read_text(encoding="utf-8")
MOST = 700
FAILURE, EMPTY = "Sorry, that went wrong.", "I have nothing to say to that."
TALK = "All about shoes. " * 1_200
TAGS = "<p>Open <b>now</b></p><ul><li>till 6 &amp; later</li></ul>"
READABLE = "Open now\n- till 6 & later"
HTML_PAGE = "<!DOCTYPE html><html><head><title>502</title></head><body>Bad gateway</body></html>"

COMMON = f"""
greeting = ""
failure = "{FAILURE}"
empty = "{EMPTY}"
[reply]
within_s = 20
most_characters = {MOST}
"""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A row of the table. ``bot``, ``model``: how they go wrong. ``from_…``: what the person gets then."""

    bot: Answering
    model: Reply
    from_bot: str = FAILURE
    from_model: str = FAILURE


FAULTS = {
    "is slow: 60 s": Fault(bot=replies(BotReply(body=b"{}", after_s=60.0)), model=hangs(60.0)),
    "fails: 500, three times or for good": Fault(bot=fails(500), model=refuses(500)),
    "is out of quota: 429": Fault(bot=fails(429), model=refuses(429, "insufficient_quota")),
    "answers nothing": Fault(bot=bot_says(), model=says(""), from_bot=EMPTY),
    "answers 20,000 characters": Fault(bot=bot_says(TALK), model=says(TALK), from_bot="…", from_model="…"),
    "answers HTML tags": Fault(bot=bot_says(TAGS), model=says(TAGS), from_bot=READABLE, from_model=READABLE),
    "answers a page of HTML": Fault(
        bot=replies(BotReply(body=HTML_PAGE.encode(), content_type="text/html")), model=html()
    ),
    "answers garbage": Fault(bot=replies(BotReply(body=b'{"messages": ')), model=garbage()),
    "breaks off the connection": Fault(bot=hangs_up, model=cuts_off()),
}
GONE = "is gone: nothing listens there"
"""Has an agent of its own, whose brain has another address."""

NAMES = tuple(FAULTS)


def test_the_page_has_these_rows_and_no_others() -> None:
    rows = re.findall(r"^\| (?!the brain|-)(.+?) \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted([*NAMES, GONE])


def test_the_talk_is_as_long_as_the_page_says() -> None:
    assert len(TALK) > 20_000


@contextmanager
def a_bot() -> Iterator[dict[str, str]]:
    """The settings of an agent whose bot goes wrong in the way that the person names by its number."""

    def answering(request: BotRequest) -> object:
        return FAULTS[NAMES[int(request.json["texts"][0])]].bot(request)

    with running_bot(answering) as bot:
        yield {"brain": "webhook", "PARLEY_WEBHOOK_URL": bot.url, "PARLEY_WEBHOOK_SECRET": SECRET}


@contextmanager
def a_model() -> Iterator[dict[str, str]]:
    """The same of a model."""

    def otherwise(asked: Asked) -> Reply:
        return FAULTS[NAMES[int(asked.question)]].model

    with blocking_model_server() as server:
        server.otherwise = otherwise
        yield {"brain": "llm", "PARLEY_LLM_BASE_URL": server.base_url, "PARLEY_MODEL": "test-model"}


@contextmanager
def nobody() -> Iterator[dict[str, str]]:
    """A model that is not there."""
    url = f"http://127.0.0.1:{free_port()}/v1"
    yield {"brain": "llm", "PARLEY_LLM_BASE_URL": url, "PARLEY_MODEL": "test-model"}


@contextmanager
def no_bot() -> Iterator[dict[str, str]]:
    """A bot that is not there."""
    url = f"http://127.0.0.1:{free_port()}/turns"
    yield {"brain": "webhook", "PARLEY_WEBHOOK_URL": url, "PARLEY_WEBHOOK_SECRET": SECRET}


@asynccontextmanager
async def answered_by(directory: Path, told: dict[str, str]) -> AsyncIterator[Stack]:
    """Everything, with an agent of this brain."""
    agent_file = directory / "agent.toml"
    agent_file.write_text(f'brain = "{told["brain"]}"\n{COMMON}')
    settings = {name: value for name, value in told.items() if name != "brain"}
    settings |= {"PARLEY_AGENT_FILE": str(agent_file), "PARLEY_GATHER_S": "0", "PARLEY_SENDER_MPS": "100"}
    async with running_stack(directory / "stack", settings=settings) as stack:
        yield stack


@pytest.mark.timeout(180)
@pytest.mark.parametrize("brain", [pytest.param(a_bot, marks=pytest.mark.long), a_model])
async def test_whatever_a_brain_does_the_person_gets_one_sensible_text(brain, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with brain() as told:
        async with answered_by(tmp_path, told) as stack, simulator_of(stack) as simulator:
            people = [Person(f"+155501700{number:02}", simulator) for number in range(len(NAMES))]
            for number, person in enumerate(people):
                await person.text(str(number))
            got = {}
            for name, person in zip(NAMES, people, strict=True):
                got[name] = [text.body for text in await person.wait_for(1, 60.0)]
            failed = [name for name in NAMES if _expected(name, told) == FAILURE]
            await wait_until(lambda: _failures(stack) == len(failed), what="a line for each failure")
    for name, texts in got.items():
        expected = _expected(name, told)
        assert len(texts) == 1, name
        assert texts[0].endswith(" ...") if expected == "…" else texts[0] == expected, (name, texts[0])
        assert len(texts[0]) <= MOST


@pytest.mark.timeout(120)
@pytest.mark.parametrize("brain", [no_bot, pytest.param(nobody, marks=pytest.mark.long)])
async def test_a_brain_that_is_gone_is_one_line_and_the_failure_message(brain, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with brain() as told:
        async with answered_by(tmp_path, told) as stack, simulator_of(stack) as simulator:
            person = Person("+15550170099", simulator)
            await person.text("anybody there?")
            assert [text.body for text in await person.wait_for(1, 60.0)] == [FAILURE]
            assert _failures(stack) == 1
            assert "127.0.0.1" in _lines(stack)[0]


def _expected(name: str, told: dict[str, str]) -> str:
    fault = FAULTS[name]
    return fault.from_bot if told["brain"] == "webhook" else fault.from_model


def _lines(stack: Stack) -> list[str]:
    said = stack["agent"].output.splitlines()
    return [line for line in said if '"level": "error"' in line or "[error" in line]


def _failures(stack: Stack) -> int:
    return len(_lines(stack))
