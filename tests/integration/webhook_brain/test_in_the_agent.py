"""What a person gets of a bot's answer, through the agent and a real broker."""

from collections.abc import AsyncIterator

import pytest

from harness.bot_server import BotServer, Reply, fails, replies, says
from harness.stack import Stack
from integration.agent.workers import WORDS, FakeBrain, dead_letters, done, drain, said, send, worker
from integration.common.connections import connected
from integration.webhook_brain.asking import ENVIRONMENT
from parley_brains.brain import Brain, Said, Turn
from parley_brains.webhook.brain import make_brain
from parley_brains.webhook.settings import Webhook
from parley_common.bus import Bus
from parley_common.events import TurnOutcome

pytestmark = pytest.mark.anyio


class Through(FakeBrain):
    """The agent's worker of the tests, with the bot behind it."""

    def __init__(self, brain: Brain) -> None:
        super().__init__(acts=True, words=WORDS)
        self._brain = brain

    async def answer(self, turn: Turn) -> Said:
        """Asks the bot."""
        self.asked.append(turn)
        return await self._brain.answer(turn)


@pytest.fixture
async def bus(broker: Stack) -> AsyncIterator[Bus]:
    async with connected(broker) as bus:
        yield bus


@pytest.fixture
async def brain(bot: BotServer) -> AsyncIterator[Through]:
    asked = make_brain(type(WORDS)(webhook=Webhook(url=bot.url)), ENVIRONMENT)
    yield Through(asked)
    await asked.close()


async def test_a_turn_is_answered_by_the_bot_under_the_key_that_was_begun(
    bus: Bus, bot: BotServer, brain: Through
) -> None:
    await send(bus, "one", "two")
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [["one\ntwo"]]
    assert bot.turns == [brain.asked[0].key]


async def test_a_bot_that_has_nothing_to_say_has_the_files_words_said(
    bus: Bus, bot: BotServer, brain: Through
) -> None:
    bot.answering = says({"type": "pause"})
    await send(bus, "hi")
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [["Nothing."]]


async def test_a_bot_that_is_silent_has_nothing_said(bus: Bus, bot: BotServer, brain: Through) -> None:
    bot.answering = says(silent=True, memory={"seen": "yes"})
    await send(bus, "hi")
    await drain(worker(bus, brain))
    (turn,) = await done(bus)
    assert (turn.outcome, turn.messages) == (TurnOutcome.ANSWERED, ())
    assert turn.tally.memory == {"seen": "yes"}
    assert await dead_letters(bus) == []


async def test_what_the_bot_remembers_comes_back_with_the_next_turn(
    bus: Bus, bot: BotServer, brain: Through
) -> None:
    bot.script.append(says({"text": "Sure?", "buttons": ["Yes", "No"]}, memory={"order": "7"}))
    conversations = worker(bus, brain)
    await send(bus, "cancel my order")
    await drain(conversations)
    await send(bus, "2")
    await drain(conversations)
    assert bot.requests[1].json["memory"] == {"order": "7"}
    assert bot.requests[1].json["choice"] == {"title": "No", "payload": "No"}


async def test_no_more_of_the_past_is_read_than_the_bot_is_told(bus: Bus, bot: BotServer) -> None:
    asked = make_brain(type(WORDS)(webhook=Webhook(url=bot.url, past=1)), ENVIRONMENT)
    conversations = worker(bus, brain := Through(asked))
    try:
        for text in ("one", "two", "three"):
            await send(bus, text)
            await drain(conversations)
    finally:
        await asked.close()
    assert [one["text"] for one in bot.requests[2].json["past"]] == ["two"]
    assert [one.text for one in await brain.asked[2].past(1)] == ["two"]
    assert [one.text for one in await brain.asked[2].past(2)] == ["one", "two"]
    assert await brain.asked[2].past(0) == ()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(fails(500), id="500"),
        pytest.param(replies(Reply(body=b"<p>Hi</p>", content_type="text/html")), id="a page"),
        pytest.param(says({"text": 5}), id="a wrong shape"),
    ],
)
async def test_a_bot_that_fails_has_the_failure_message_said_and_a_dead_letter(
    bus: Bus, bot: BotServer, brain: Through, answer: object
) -> None:
    bot.answering = answer  # type: ignore[assignment]
    await send(bus, "my question")
    await drain(worker(bus, brain))
    assert said(await done(bus)) == [["Sorry."]]
    (letter,) = await dead_letters(bus)
    assert letter.reason.startswith("the brain failed: the bot")
    assert "my question" not in letter.reason
