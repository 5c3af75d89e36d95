"""The example shop's agent behind each brain: what people text it, ten times, and what they are answered."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.bot_server import SECRET, BotRequest, running_bot
from harness.bot_server import Reply as BotReply
from harness.model_replies import Call, Reply, calls, refuses, says
from harness.model_server import Asked, ModelServer, blocking_model_server
from harness.model_shop import KEY, blocking_shop
from parley_brains.agents import EXAMPLE

Talk = list[tuple[str, str]]
"""What is texted, and what the answer holds."""

HANDED_OVER = "Somebody from the shop will answer"

SCRIPTED: Talk = [
    ("hello", "This is Parley"),
    ("HOURS", "Monday to Friday, 9 to 17"),
    ("do you ship to Norway?", "We deliver to all countries of Europe, Norway"),
    ("ORDER", "What is your order number?"),
    ("it is 99", "An order number has five digits"),
    ("10234", "https://shop.example/orders/10234"),
    ("RETURNS", "3. It arrived broken"),
    ("3", "2. A repair"),
    ("2", "Under guarantee, which is five years, a repair is free."),
    ("PERSON", HANDED_OVER),
]

MODEL: Talk = [
    ("hi, who is this?", "the assistant of the Little Lamp Shop"),
    ("until when are you open on a Saturday?", "on Saturdays from 10 to 14"),
    ("where is my order 1001?", "Order 1001 is on its way."),
    ("and 1002?", "Order 1002 is delivered."),
    ("which bulb fits?", "E27"),
    ("how do I send a lamp back?", "https://shop.example/returns"),
    ("is that free?", "Within the country it is free."),
    ("and from abroad?", "From abroad you pay the postage."),
    ("do you have it in blue?", "I don't know"),
    ("can I talk to somebody?", HANDED_OVER),
]

WEBHOOK: Talk = [
    ("hello", "Welcome to the shop."),
    ("what can I do?", "2. Send it back"),
    ("2", "You took /return."),
    ("what can I do?", "1. Order status"),
    ("order status", "You took /status."),
    ("remember blue", "Noted."),
    ("what did I say?", "You said blue."),
    ("be quick", "At your service."),
    ("Markdown?", "Bold, and a list:"),
    ("a person, please", HANDED_OVER),
]


@contextmanager
def scripted(_directory: Path) -> Iterator[dict[str, str]]:
    """The settings of the example as it comes: none."""
    yield {}


@contextmanager
def by_model(directory: Path) -> Iterator[dict[str, str]]:
    """The example with its tool, and a model that knows how to use it."""
    with blocking_shop() as shop, blocking_model_server() as server:
        server.otherwise = Model(server).answer
        folder = directory / "shop"
        shutil.copytree(EXAMPLE.parent, folder)
        file = folder / "agent.toml"
        file.write_text(_with_tool(file.read_text(), shop.url))
        yield {
            "PARLEY_AGENT_FILE": str(file),
            "PARLEY_LLM_BASE_URL": server.base_url,
            "PARLEY_MODEL": "test-model",
            "PARLEY_MODEL_FALLBACK": "other-model",
            "SHOP_TOKEN": KEY,
        }
        assert not any(asked.body.get("stream") for asked in server.asked)
        assert _models_asked(server, MODEL[6][0]) == ["test-model"] * 2, "500 was not worth a second try"
        assert _models_asked(server, MODEL[7][0])[-1] == "other-model", "429 did not lead to the fallback"
        assert {one.headers["Authorization"] for one in shop.asked} == {f"Bearer {KEY}"}


@contextmanager
def by_bot(directory: Path) -> Iterator[dict[str, str]]:
    """The example with a bot of the shop's own."""
    with running_bot(Bot().answer) as bot:
        file = directory / "agent.toml"
        told = EXAMPLE.read_text().replace('knowledge = "knowledge"', "")
        file.write_text(f'brain = "webhook"\n{told}\n[webhook]\nurl = "{bot.url}"\n')
        yield {"PARLEY_AGENT_FILE": str(file), "PARLEY_WEBHOOK_SECRET": SECRET}
        assert {request.refusal for request in bot.requests} == {""}
        assert len(bot.turns) == len(set(bot.turns)) + 1, "503 was not worth a second try of the same turn"


class Model:
    """What a model would say, if it said what the test wants."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    def answer(self, asked: Asked) -> Reply:
        """The next step of a turn: a tool call, or words made of what the tools have answered."""
        number = next(number for number, (text, _) in enumerate(MODEL) if text in asked.question)
        if asked.messages[-1]["role"] == "tool":
            return says(self._told(number, asked))
        return self._first(number, asked)

    def _first(self, number: int, asked: Asked) -> Reply:
        match number:
            case 1 | 4 | 5:
                return calls(Call("search_knowledge", {"question": asked.question}))
            case 2:
                return calls(Call("order_status", {"order": "1001"}))
            case 3:
                return calls(Call("order_status", {"order": _number_after(asked, "order ")}))
            case 6:
                tried = [one for one in self._server.asked if one.question == asked.question]
                return refuses(500) if len(tried) == 1 else says(MODEL[number][1])
            case 7:
                return refuses(429) if asked.body["model"] == "test-model" else says(MODEL[number][1])
            case 9:
                return calls(Call("hand_over_to_a_person"))
            case _:
                return says(f"This is {MODEL[0][1]}." if number == 0 else f"{MODEL[number][1]}, sorry.")

    def _told(self, number: int, asked: Asked) -> str:
        found = asked.tool_results[-1]
        if number in (2, 3):
            order, state = re.findall(r'"(?:order|state)": ?"([^"]*)"', found)
            return f"Order **{order}** is {state}."
        sentences = re.split(r"(?<=[.!?])\s+", found)
        return next((one for one in sentences if MODEL[number][1] in one), f"not found in: {found}")


def _models_asked(server: ModelServer, question: str) -> list[str]:
    return [str(asked.body["model"]) for asked in server.asked if question in asked.question]


def _number_after(asked: Asked, words: str) -> str:
    """The number that "and 1002?" means, known only to who was told what was said before."""
    before = " ".join(str(message.get("content")) for message in asked.messages)
    assert f"{words}1001" in before, "the model was not told what was said before"
    return str(re.findall(r"\d{4}", asked.question)[-1])


class Bot:
    """A bot of the shop's own: buttons, a memory, a bad moment."""

    def __init__(self) -> None:
        self._failed = False

    def answer(self, request: BotRequest) -> object:
        """Answers a turn."""
        turn = request.json
        text = turn["texts"][0]
        if turn["choice"]:
            return [f"You took {turn['choice']['payload']}."]
        match text:
            case "hello":
                return ["Welcome to the shop.", {"type": "pause", "duration": 3}]
            case "what can I do?":
                buttons = [
                    {"title": "Order status", "payload": "/status"},
                    {"title": "Send it back", "payload": "/return"},
                ]
                return [{"text": "This:", "buttons": buttons}, {"type": "carousel", "text": "not for phones"}]
            case "remember blue":
                return {"messages": ["Noted."], "memory": {"color": "blue"}}
            case "what did I say?":
                return [f"You said {turn['memory']['color']}."]
            case "Markdown?":
                return ["**Bold**, and a list:\n\n- one\n- two"]
            case "a person, please":
                return {"hand_over": True}
            case _:
                return self._second_time()

    def _second_time(self) -> object:
        if not self._failed:
            self._failed = True
            return BotReply(status=503)
        return ["At your service."]


def _with_tool(example: str, url: str) -> str:
    """The example with its tool, which is commented out there."""
    before, mark, tool = example.partition("# [tools.order_status]")
    assert mark, "the example has no tool any more"
    lines = [line.removeprefix("# ") for line in (mark + tool).splitlines()]
    return before + "\n".join(lines).replace("https://shop.example/api", url)
