"""A talk with an agent without any service: what the phone shows, what the developer is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from parley_brains.agent_file import AgentFile, Handoff, ReplyLimits
from parley_brains.agents import Agent
from parley_brains.brain import Attachment, BrainFailed, File, Kind, Message, Said, Turn
from parley_brains.chat import Chat, Heard
from parley_common.events import Usage

pytestmark = pytest.mark.anyio

FILE = AgentFile(
    failure="FAILURE",
    empty="EMPTY",
    capped="CAPPED",
    refused="REFUSED",
    reply=ReplyLimits(most_characters=100, within_s=0.2),
    handoff=Handoff(words=("a person",), reply="HANDOFF", back_words=("BOT",), back_reply="BACK"),
)


class Told:
    """A brain that says what a test tells it to, and remembers the turns."""

    acts = False

    def __init__(self, *answers: Said | Exception | None) -> None:
        self._answers = list(answers)
        self.turns: list[Turn] = []

    async def answer(self, turn: Turn) -> Said:
        self.turns.append(turn)
        answer = self._answers.pop(0) if self._answers else said("ok")
        if answer is None:
            await asyncio.sleep(60)
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer

    async def close(self) -> None:
        """Nothing is open."""


def said(*texts: str, **fields: Any) -> Said:
    return Said(messages=tuple(Message(text=text) for text in texts), **fields)


def chat(*answers: Said | Exception | None, file: AgentFile = FILE, kind: Kind = Kind.SMS) -> tuple[Chat, Told]:
    brain = Told(*answers)
    return Chat(Agent(file=file, brain=brain), kind), brain


def texts(heard: Heard) -> list[str]:
    return [part for message in heard.messages for part in message.parts]


async def test_an_answer_is_shown_as_a_phone_would() -> None:
    talk, _ = chat(said("**Bold** “quotes” and [a link](https://example.com)"))
    heard = await talk.say("hi")
    assert texts(heard) == ['Bold "quotes" and a link (https://example.com)']
    assert (heard.messages[0].segments, heard.notes) == (1, ())


async def test_a_long_answer_comes_in_parts_and_is_cut_where_the_file_says() -> None:
    long = AgentFile(reply=ReplyLimits(most_characters=3000))
    talk, _ = chat(said("word " * 500), said("word " * 1000), file=long)
    (shown,) = (await talk.say("hi")).messages
    assert [part[:6] for part in shown.parts] == ["(1/2) ", "(2/2) "]
    assert shown.segments == 17
    assert texts(await talk.say("more"))[-1].endswith("...")


async def test_memory_and_past_are_kept_over_turns() -> None:
    talk, brain = chat(said("one", memory={"slot": "1"}), said("two", "**three**"), said("four"))
    for text in ("a", "b", "c"):
        await talk.say(text)
    assert [turn.is_first for turn in brain.turns] == [True, False, False]
    assert [turn.memory for turn in brain.turns] == [{}, {"slot": "1"}, {"slot": "1"}]
    assert [(one.text, one.answers) for one in await brain.turns[2].past()] == [
        ("a", ("one",)),
        ("b", ("two", "**three**")),
    ]
    assert len({turn.key for turn in brain.turns}) == 3
    assert len({turn.conversation for turn in brain.turns}) == 1
    talk.forget()
    await talk.say("d")
    assert brain.turns[3].conversation != brain.turns[2].conversation
    assert brain.turns[3].key.removeprefix(brain.turns[3].conversation) == "-1"
    assert (brain.turns[3].is_first, brain.turns[3].memory, await brain.turns[3].past()) == (True, {}, ())


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (BrainFailed("the model is out of quota"), "the brain failed: the model is out of quota"),
        (ValueError("a bug"), "the brain failed: ValueError: a bug"),
        (None, "the brain did not answer within 0.2 s (reply.within_s)"),
    ],
    ids=["for a reason", "by a bug", "too slow"],
)
async def test_a_failure_is_shown_as_the_person_sees_it_and_explained(answer: Exception | None, note: str) -> None:
    talk, brain = chat(answer)
    heard = await talk.say("hi")
    assert (texts(heard), heard.notes) == (["FAILURE"], (note,))
    await talk.say("again")
    assert brain.turns[1].is_first
    assert await brain.turns[1].past() == ()


async def test_a_brain_that_says_nothing_has_the_file_say_so() -> None:
    talk, _ = chat(said(), said("  "), Said(silent=True))
    for _ in range(2):
        heard = await talk.say("hi")
        assert (texts(heard), heard.notes) == (["EMPTY"], ("the brain said nothing",))
    assert texts(await talk.say("hi")) == []


async def test_who_asks_for_a_person_meets_silence_until_they_want_the_agent_back() -> None:
    talk, brain = chat()
    assert texts(await talk.say(" A  Person! ")) == ["HANDOFF"]
    heard = await talk.say("are you there?")
    assert (texts(heard), heard.notes) == ([], ("a person answers now, not the agent; BOT brings the agent back",))
    assert texts(await talk.say("bot.")) == ["BACK"]
    assert brain.turns == []
    assert texts(await talk.say("hi")) == ["ok"]


async def test_a_brain_hands_over_in_its_own_words_or_those_of_the_file() -> None:
    for answer, words in (
        (said("I fetch somebody.", hand_over=True), "I fetch somebody."),
        (said(hand_over=True), "HANDOFF"),
    ):
        talk, _ = chat(answer)
        heard = await talk.say("hi")
        assert (texts(heard), heard.notes) == ([words], ("handed over to a person, for 24 h at most",))
        assert texts(await talk.say("hello?")) == []


@pytest.mark.parametrize("word", ["STOP", "yes", " Info "])
async def test_what_twilio_acts_on_reaches_no_brain(word: str) -> None:
    talk, brain = chat()
    heard = await talk.say(word)
    assert (texts(heard), brain.turns) == ([], [])
    assert "Twilio acts on" in heard.notes[0]


async def test_who_wants_no_more_texts_is_told_so_and_reaches_no_brain() -> None:
    talk, brain = chat()
    assert texts(await talk.say("please stop texting me")) == ["REFUSED"]
    assert brain.turns == []


async def test_the_tokens_of_a_day_end() -> None:
    usage = Usage(model="m", input_tokens=60, output_tokens=40)
    talk, brain = chat(said("one", usage=usage), BrainFailed("no", usage=usage), file=AgentFile(daily_tokens=150))
    assert (await talk.say("a")).usage == usage
    assert (await talk.say("b")).usage == usage
    heard = await talk.say("c")
    assert texts(heard)[0].startswith("That is as much as we can answer today.")
    assert len(brain.turns) == 2


async def test_a_file_is_given_to_the_brain_and_one_of_the_brain_is_shown() -> None:
    file = File(source="/a/b.png", content_type="image/png")
    talk, brain = chat(Said(messages=(Message(files=(file,)),)))
    heard = await talk.say("", [Attachment(content_type="image/jpeg", size=3, read=_reading(b"abc"))])
    assert heard.messages[0].files == (file,)
    (attachment,) = brain.turns[0].attachments
    assert (attachment.content_type, attachment.size, await attachment.read()) == ("image/jpeg", 3, b"abc")


def _reading(data: bytes) -> Callable[[], Any]:
    async def read() -> bytes:
        return data

    return read


async def test_by_whatsapp_the_brain_knows_it_and_marks_are_kept() -> None:
    talk, brain = chat(said("**bold**"), kind=Kind.WHATSAPP)
    assert texts(await talk.say("hi")) == ["*bold*"]
    assert brain.turns[0].kind is Kind.WHATSAPP
    assert brain.turns[0].contact.startswith("whatsapp:+")
