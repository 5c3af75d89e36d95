"""What goes over the wire to the bot."""

import asyncio
import base64
import re
import time

import msgspec
import pytest
from structlog.testing import capture_logs

from harness.bot_server import SECRET, BotServer, Reply, replies, running_bot, says
from integration.webhook_brain.asking import CONVERSATION, KEY, a_turn, answers, asking, failure
from parley_brains.answering import sendable
from parley_brains.brain import Kind
from parley_brains.webhook.settings import Form

pytestmark = pytest.mark.anyio

OTHER = "whsec_" + base64.b64encode(b"what somebody else knows").decode()


async def test_a_turn_goes_out_signed_and_its_answer_comes_back(bot: BotServer) -> None:
    assert await answers(bot, "one", "two") == ["one\ntwo"]
    (request,) = bot.requests
    assert request.refusal == ""
    assert request.path == "/turns"
    assert request.json["texts"] == ["one", "two"]
    assert request.headers["webhook-id"] == request.headers["idempotency-key"] == request.json["turn"] == KEY
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 30
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Parley"


async def test_a_bot_that_knows_another_secret_lets_nobody_in() -> None:
    async with running_bot(secret=OTHER) as bot:
        assert (
            await failure(bot)
            == "the bot at BOT answered 401: it does not let Parley in; have both the same secret?"
        )
        (request,) = bot.requests
        assert request.refusal == "signed by somebody else"


@pytest.mark.parametrize("known", [SECRET, OTHER])
async def test_while_the_secret_changes_the_bot_may_know_either(known: str) -> None:
    both = {"PARLEY_WEBHOOK_SECRET": SECRET, "PARLEY_WEBHOOK_SECRET_NEXT": OTHER}
    async with running_bot(secret=known) as bot:
        assert await answers(bot, "hi", environment=both) == ["hi"]


async def test_the_operators_headers_go_along(bot: BotServer) -> None:
    environment = {"PARLEY_WEBHOOK_SECRET": SECRET, "BOT_KEY": "open sesame"}
    headers = {"Authorization": "Bearer ${BOT_KEY}", "X-Shop": "7"}
    await answers(bot, "hi", headers=headers, environment=environment)
    sent = bot.requests[0].headers
    assert (sent["authorization"], sent["x-shop"]) == ("Bearer open sesame", "7")


async def test_a_cookie_of_one_turn_does_not_go_along_with_the_next(bot: BotServer) -> None:
    body = msgspec.json.encode({"messages": ["hi"]})
    bot.answering = replies(Reply(body=body, headers={"Set-Cookie": "session=of-the-first-person; Path=/"}))
    async with asking(bot.url) as brain:
        await brain.answer(a_turn())
        await brain.answer(a_turn(conversation="another", contact="+15550100124"))
    assert ["cookie" in request.headers for request in bot.requests] == [False, False]


async def test_turns_one_after_the_other_share_a_connection(bot: BotServer) -> None:
    peers: set[str] = set()
    async with asking(bot.url) as brain:
        for _ in range(30):
            await brain.answer(a_turn())
            peers.add(bot.requests[-1].peer)
    assert len(peers) == 1


async def test_a_thousand_turns_are_with_the_bot_at_once() -> None:
    turns, everybody = 1_000, asyncio.Event()

    async def all_together(request: object) -> object:
        if bot.at_once == turns:
            everybody.set()
        await everybody.wait()
        return {"messages": [bot.requests[0].json["kind"]]}

    async with running_bot(all_together) as bot, asking(bot.url, request_timeout_s=60.0, within_s=90.0) as brain:
        asked = (brain.answer(a_turn(key=f"{number:032x}")) for number in range(turns))
        said = await asyncio.gather(*asked)
        assert [one.messages[0].text for one in said] == ["sms"] * turns
        assert bot.most_at_once == turns
        assert len(set(bot.turns)) == len(bot.turns) == turns


async def test_answers_do_not_get_mixed_up(bot: BotServer) -> None:
    async with asking(bot.url) as brain:
        said = await asyncio.gather(*(brain.answer(a_turn(str(number))) for number in range(200)))
    assert [one.messages[0].text for one in said] == [str(number) for number in range(200)]


async def test_a_number_texted_back_is_the_button_it_stands_for(bot: BotServer) -> None:
    bot.answering = says({"text": "Sure?", "buttons": [{"title": "Yes", "payload": "/affirm"}, "No"]})
    async with asking(bot.url) as brain:
        first = await brain.answer(a_turn("cancel it", kind=Kind.SMS))
        assert first.messages[0].text == "Sure?\n\n1. Yes\n2. No"
        await brain.answer(a_turn("1", memory=first.memory or {}))
    assert bot.requests[1].json["choice"] == {"title": "Yes", "payload": "/affirm"}
    assert bot.requests[1].json["memory"] == {}


async def test_a_button_whose_title_carriers_act_on_is_told_of_once(bot: BotServer) -> None:
    titles = ["Yes", "Yes, please", "stop texting me", "No"]
    bot.answering = says({"text": "Sure?", "buttons": titles})
    async with asking(bot.url) as brain:
        with capture_logs() as logs:
            for key in ("a" * 32, "b" * 32):
                await brain.answer(a_turn("cancel it", key=key))
    warnings = [one for one in logs if one["log_level"] == "warning"]
    assert [one["reason"] for one in warnings] == [
        "YES is a word that carriers act on",
        "a title is a wish to get no more texts",
    ]


async def test_an_answer_that_is_too_long_keeps_its_buttons(bot: BotServer) -> None:
    bot.answering = says({"text": "word " * 2000, "buttons": ["Small", "Large"]})
    async with asking(bot.url) as brain:
        answer = await brain.answer(a_turn())
    (message,) = sendable(answer, most_characters=1600)
    assert message.text.endswith("\n\n1. Small\n2. Large")


async def test_rasa_is_asked_at_its_own_path_by_conversation_and_without_a_secret() -> None:
    def rasa(request: object) -> object:
        taken = bot.requests[-1].json
        return [{"recipient_id": taken["sender"], "text": f"You said {taken['message']}"}]

    async with running_bot(rasa, secret=None) as bot, asking(bot.origin, form=Form.RASA, environment={}) as brain:
        (message,) = (await brain.answer(a_turn("hello", "there"))).messages
        assert message.text == "You said hello\nthere"
        (request,) = bot.requests
    assert request.path == "/webhooks/rest/webhook"
    assert request.json["sender"] == CONVERSATION
    assert not re.search(r"\+?1555\d{7}", str(request.json).replace(a_turn().recipient, ""))
    assert "webhook-signature" not in request.headers


def test_a_test_without_an_event_loop_has_a_bot_too() -> None:
    with running_bot() as bot:
        assert asyncio.run(answers(bot, "hi")) == ["hi"]
        assert [request.json["texts"] for request in bot.requests] == [["hi"]]
