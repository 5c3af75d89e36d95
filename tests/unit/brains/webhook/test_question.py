"""What the bot is told of a turn."""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from parley_brains.brain import Attachment, Exchange, Kind, Turn, newest
from parley_brains.webhook.choices import Choice, next_memory
from parley_brains.webhook.question import ask, encode
from parley_brains.webhook.settings import Form, Webhook
from parley_common.tail import MOST_PAST
from unit.brains.webhook.turns import CONVERSATION, KEY, NUMBER, PERSON, a_turn

pytestmark = pytest.mark.anyio


async def told(turn: Turn, **fields: Any) -> dict[str, Any]:
    settings = Webhook(**fields)
    told: dict[str, Any] = msgspec.json.decode(encode(await ask(turn, settings), settings.form))
    return told


def attachment(data: bytes, content_type: str = "image/png", size: int | None = None) -> Attachment:
    async def read() -> bytes:
        return data

    return Attachment(content_type=content_type, size=len(data) if size is None else size, read=read)


async def test_a_turn_in_the_form_of_parley() -> None:
    turn = a_turn("one", "two", is_first=True, profile_name="Ada", kind=Kind.WHATSAPP, memory={"order": "7"})
    assert await told(turn) == {
        "version": 1,
        "type": "turn",
        "turn": KEY,
        "channel": "default",
        "kind": "whatsapp",
        "conversation": CONVERSATION,
        "contact": PERSON,
        "recipient": NUMBER,
        "profile_name": "Ada",
        "is_first": True,
        "texts": ["one", "two"],
        "choice": None,
        "attachments": [],
        "missing_attachments": 0,
        "past": [],
        "memory": {"order": "7"},
    }


async def test_a_turn_in_the_form_of_rasa_goes_under_the_conversation_and_names_nobody() -> None:
    question = await told(a_turn("one", "", "two", profile_name="Ada"), form=Form.RASA)
    assert question["sender"] == CONVERSATION
    assert question["message"] == "one\ntwo"
    assert question["metadata"]["turn"] == KEY
    assert question["metadata"]["contact"] is question["metadata"]["profile_name"] is None
    assert PERSON not in str(question)
    assert "Ada" not in str(question)


async def test_whether_the_bot_is_told_who_it_is_can_be_said() -> None:
    turn = a_turn("one", profile_name="Ada")
    assert (await told(turn, contact=False))["contact"] is None
    assert (await told(turn, contact=False))["profile_name"] is None
    assert (await told(turn, form=Form.RASA, contact=True))["metadata"]["contact"] == PERSON


async def test_a_choice_that_was_taken_is_told_with_its_payload() -> None:
    memory = next_memory({"order": "7"}, None, [Choice(title="Yes", payload="/affirm")]) or {}
    question = await told(a_turn("1", memory=memory))
    assert question["choice"] == {"title": "Yes", "payload": "/affirm"}
    assert question["texts"] == ["1"]
    assert question["memory"] == {"order": "7"}
    assert (await told(a_turn("1", memory=memory), form=Form.RASA))["message"] == "/affirm"


async def test_what_was_written_beside_a_choice_reaches_rasa_too() -> None:
    memory = next_memory({}, None, [Choice(title="Later", payload="/later")]) or {}
    question = await told(a_turn("1", "but before nine", memory=memory), form=Form.RASA)
    assert question["message"] == "1\nbut before nine"
    assert question["metadata"]["choice"] == {"title": "Later", "payload": "/later"}


async def test_the_past_is_read_only_where_it_is_wanted_and_only_as_much() -> None:
    reads: list[int] = []

    async def past(most: int = MOST_PAST) -> Sequence[Exchange]:
        reads.append(most)
        return newest([Exchange(text=f"q{n}", answers=(f"a{n}", f"b{n}")) for n in range(5)], most)

    assert (await told(a_turn(past=past)))["past"] == []
    assert reads == []
    assert (await told(a_turn(past=past), past=2))["past"] == [
        {"text": "q3", "answers": ["a3", "b3"]},
        {"text": "q4", "answers": ["a4", "b4"]},
    ]
    assert len((await told(a_turn(past=past), past=20))["past"]) == 5
    assert reads == [2, 20]


async def test_attachments_are_listed_and_stay_where_they_are() -> None:
    question = await told(a_turn("", attachments=(attachment(b"png"),), missing=2))
    assert question["attachments"] == [{"content_type": "image/png", "size": 3, "data": None}]
    assert question["missing_attachments"] == 2


async def test_attachments_that_fit_go_along() -> None:
    three = (attachment(b"a" * 60), attachment(b"b" * 60, "image/gif"), attachment(b"c" * 40))
    listed = (await told(a_turn(attachments=three), inline_bytes=100))["attachments"]
    assert [one["data"] for one in listed] == [
        base64.b64encode(b"a" * 60).decode(),
        None,
        base64.b64encode(b"c" * 40).decode(),
    ]


async def test_an_attachment_that_is_larger_than_it_says_stays_where_it_is() -> None:
    listed = (await told(a_turn(attachments=(attachment(b"a" * 60, size=1),)), inline_bytes=50))["attachments"]
    assert listed == [{"content_type": "image/png", "size": 1, "data": None}]


async def test_an_attachment_that_cannot_be_had_leaves_the_words_to_be_answered() -> None:
    async def read() -> bytes:
        raise ConnectionError

    gone = Attachment(content_type="image/png", size=1, read=read)
    listed = (await told(a_turn("look", attachments=(gone, attachment(b"b"))), inline_bytes=50))["attachments"]
    assert [one["data"] for one in listed] == [None, "Yg=="]
