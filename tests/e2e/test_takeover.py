"""People answer in place of the agent, and texts that come while it thinks, through the whole path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from e2e.conftest import QUICK
from e2e.test_abuse import outcomes
from harness.bot_server import SECRET, BotRequest, BotServer, running_bot
from harness.people import Person, StatusApi, simulator_of, status_of
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import QUICK_START
from parley_common.identity import Identity
from parley_common.takeover import release, take
from parley_simulator.control import SimulatorControl

pytestmark = pytest.mark.anyio

AGENT = """
brain = "webhook"
while_thinking = "restart"
refused = "No more texts."

[handoff]
words = ["AGENT", "talk to a person"]
reply = "A person will come."
back_reply = "I am back."
"""


class Bot:
    """Says what it hears, once it may. It asks for a person where somebody shouts."""

    def __init__(self) -> None:
        self.may_answer = True

    async def __call__(self, request: BotRequest) -> object:
        """Answers."""
        texts = request.json["texts"]
        while not self.may_answer:
            await asyncio.sleep(0.02)
        return {"messages": ["\n".join(texts)], "hand_over": any(text.isupper() for text in texts)}


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A running Parley, the bot behind it, and who may answer in its place."""

    stack: Stack
    simulator: SimulatorControl
    status: StatusApi
    server: BotServer
    bot: Bot

    def person(self, number: str) -> Person:
        """Somebody with a phone."""
        return Person(number, self.simulator)

    async def take(self, person: Person, within: timedelta = timedelta(hours=1)) -> datetime:
        """Alice answers this person; returns until when."""
        async with self._bus() as bus:
            event = await take(bus, QUICK_START, self._conversation(person), by="alice", within=within)
        assert event.tally.taken is not None
        return event.tally.taken.until

    async def release(self, person: Person) -> None:
        """She hands back."""
        async with self._bus() as bus:
            await release(bus, QUICK_START, self._conversation(person))

    async def asked(self, *texts: str) -> None:
        """Waits until the bot was asked this."""

        def was() -> bool:
            return any(request.json["texts"] == list(texts) for request in self.server.requests)

        await wait_until(was, 20.0, what=f"the bot being asked {texts}")

    async def taken(self, person: Person) -> Any:
        """What the status API tells of who answers."""
        conversation = await self.status.conversation(person.number)
        return conversation and conversation["taken"]

    def _conversation(self, person: Person) -> str:
        key = self.stack.environment["PARLEY_HASH_KEY"].encode()
        return Identity(key).conversation(QUICK_START, person.number)

    @asynccontextmanager
    async def _bus(self) -> AsyncIterator[Bus]:
        bus = Bus(Broker(self.stack.nats_url), name="test")
        await bus.connect()
        try:
            yield bus
        finally:
            await bus.close()


@pytest.fixture(scope="module")
async def parley(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Shop]:
    """One Parley for all tests of this module."""
    folder, bot = tmp_path_factory.mktemp("takeover"), Bot()
    file = folder / "agent.toml"
    file.write_text(AGENT)
    async with running_bot(bot) as server:
        settings = {
            "PARLEY_AGENT_FILE": str(file),
            "PARLEY_WEBHOOK_URL": server.url,
            "PARLEY_WEBHOOK_SECRET": SECRET,
        }
        async with (
            running_stack(folder / "stack", settings=QUICK | settings) as stack,
            simulator_of(stack) as simulator,
            status_of(stack) as status,
        ):
            yield Shop(stack=stack, simulator=simulator, status=status, server=server, bot=bot)
            assert leaks(stack, ("where is my order?", "tell me a joke", "anybody?")) == []


@pytest.fixture
def shop(parley: Shop) -> Shop:
    """It, with a bot that answers."""
    parley.bot.may_answer = True
    return parley


async def bodies(person: Person, count: int) -> list[str]:
    return [text.body for text in await person.wait_for(count)]


async def test_who_asks_for_a_person_waits_for_one_until_they_want_the_bot_again(shop: Shop) -> None:
    person = shop.person("+15550180101")
    for n, body in enumerate(("hello", "Talk to a person!", "anybody?", "Bot.", "thanks"), start=1):
        await person.text(body)
        await outcomes(shop.status, person, n)
    expected = ["answered", "handed_over", "taken", "handed_back", "answered"]
    assert await outcomes(shop.status, person, 5) == expected
    assert await bodies(person, 4) == ["hello", "A person will come.", "I am back.", "thanks"]
    assert await shop.taken(person) is None


async def test_a_bot_that_asks_for_a_person_answers_no_more(shop: Shop) -> None:
    person = shop.person("+15550180102")
    for n, body in enumerate(("I AM ANGRY", "hello?"), start=1):
        await person.text(body)
        await outcomes(shop.status, person, n)
    assert await outcomes(shop.status, person, 2) == ["handed_over", "taken"]
    assert await bodies(person, 1) == ["I AM ANGRY"]
    assert (await shop.taken(person))["by"] == ""


async def test_whom_staff_answers_the_bot_does_not_until_they_hand_back(shop: Shop) -> None:
    person = shop.person("+15550180103")
    await person.text("one")
    assert await bodies(person, 1) == ["one"]
    until = await shop.take(person)

    async def told() -> Any:
        return await shop.taken(person)

    held = await wait_until(told, what="the takeover in the status API")
    assert (held["by"], datetime.fromisoformat(held["until"])) == ("alice", until)
    for n, body in enumerate(("two", "bot", "agent"), start=2):
        await person.text(body)
        await outcomes(shop.status, person, n)
    await shop.release(person)
    await person.text("three")
    assert await bodies(person, 2) == ["one", "three"]
    assert await outcomes(shop.status, person, 5) == ["answered", "taken", "taken", "taken", "answered"]
    conversation = await shop.status.conversation(person.number)
    waiting = [message["state"] for message in conversation["messages"] if message["outcome"] == "taken"]
    assert waiting == ["unanswered"] * 3


async def test_what_the_bot_was_about_to_say_is_not_said_once_staff_has_come(shop: Shop) -> None:
    person = shop.person("+15550180104")
    shop.bot.may_answer = False
    await person.text("where is my order?")
    await shop.asked("where is my order?")
    await shop.take(person)
    shop.bot.may_answer = True
    assert await outcomes(shop.status, person, 1) == ["taken"]
    await shop.release(person)
    await person.text("thanks")
    assert await bodies(person, 1) == ["thanks"]


async def test_the_bot_comes_back_by_itself_once_the_time_of_a_takeover_is_over(shop: Shop) -> None:
    person = shop.person("+15550180105")
    until = await shop.take(person, timedelta(seconds=4))
    await person.text("one")
    assert await outcomes(shop.status, person, 1) == ["taken"]
    await wait_until(lambda: datetime.now(UTC) > until, what="the end of the takeover")
    await person.text("two")
    assert await bodies(person, 1) == ["two"]
    assert await shop.taken(person) is None


async def test_an_agent_that_starts_anew_knows_who_answers(shop: Shop) -> None:
    person = shop.person("+15550180106")
    await shop.take(person)
    shop.stack["agent"].kill()
    await person.text("one")
    await shop.stack["agent"].start()
    assert await outcomes(shop.status, person, 1) == ["taken"]
    await shop.release(person)
    await person.text("two")
    assert await bodies(person, 1) == ["two"]


async def test_a_text_that_comes_while_the_bot_thinks_is_answered_together_with_the_one_before(shop: Shop) -> None:
    person = shop.person("+15550180107")
    shop.bot.may_answer = False
    await person.text("first half")
    await shop.asked("first half")
    await person.text("second half")
    await shop.asked("first half", "second half")
    shop.bot.may_answer = True
    assert await bodies(person, 1) == ["first half\nsecond half"]
    assert await outcomes(shop.status, person, 2) == ["answered"] * 2
    assert len(await person.received()) == 1


async def test_p8_a_refusal_while_the_bot_thinks_leaves_only_its_confirmation(shop: Shop) -> None:
    person = shop.person("+15550180108")
    shop.bot.may_answer = False
    await person.text("tell me a joke")
    await shop.asked("tell me a joke")
    await person.text("no, leave me alone")
    assert await outcomes(shop.status, person, 2) == ["refused"] * 2
    shop.bot.may_answer = True
    assert await bodies(person, 1) == ["No more texts."]
