"""Bots that are away, slow, busy, broken or hostile: asked again where that helps, and else a reason to act on."""

import asyncio
import gzip
import time
from typing import Any

import pytest

from harness.bot_server import BotServer, Reply, fails, hangs_up, replies, running_bot, says
from harness.ports import free_port
from harness.waiting import wait_until
from integration.webhook_brain.asking import KEY, a_turn, answers, asking, failure
from parley_brains.brain import BrainFailed, Said
from parley_brains.webhook import connections
from parley_brains.webhook.settings import Form

pytestmark = pytest.mark.anyio

HANG = Reply(after_s=60.0)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(fails(503), id="503"),
        pytest.param(fails(502), id="502"),
        pytest.param(fails(504), id="504"),
        pytest.param(fails(429), id="429"),
        pytest.param(hangs_up, id="the connection closed"),
        pytest.param(replies(HANG), id="no answer in time"),
        pytest.param(replies(Reply(body=b" " * 60, pieces=60, every_s=1.0)), id="an answer that never ends"),
    ],
)
async def test_what_may_pass_is_asked_again_about_the_same_turn(bot: BotServer, trouble: Any) -> None:
    bot.script.extend([trouble, trouble])
    assert await answers(bot, "hi", request_timeout_s=0.5) == ["hi"]
    assert bot.turns == [KEY] * 3
    assert len({request.body for request in bot.requests}) == 1
    assert [request.refusal for request in bot.requests] == [""] * 3
    assert all(request.headers["idempotency-key"] == KEY for request in bot.requests)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 501])
async def test_what_will_not_pass_is_asked_once(bot: BotServer, status: int) -> None:
    bot.answering = fails(status, retry_after="0")
    assert (await failure(bot)).startswith(f"the bot at BOT answered {status}")
    assert len(bot.requests) == 1


async def test_a_bot_that_asks_for_time_gets_it(bot: BotServer) -> None:
    bot.script.append(fails(429, retry_after="2"))
    assert await answers(bot, "hi") == ["hi"]
    first, second = bot.requests
    assert second.at_s - first.at_s >= 2.0


async def test_a_bot_that_asks_for_more_time_than_there_is_is_not_waited_for(bot: BotServer) -> None:
    bot.answering = fails(503, retry_after="31")
    begun_s = time.monotonic()
    assert await failure(bot, within_s=30.0) == "the bot at BOT answered 503"
    assert time.monotonic() - begun_s < 15
    assert len(bot.requests) == 1


async def test_after_all_retries_the_reason_counts_them(bot: BotServer) -> None:
    bot.answering = fails(503)
    assert await failure(bot, retries=1) == "the bot at BOT answered 503 (2 requests)"
    assert len(bot.requests) == 2


async def test_all_requests_together_keep_to_the_time_for_an_answer(bot: BotServer) -> None:
    bot.answering = replies(HANG)
    async with asyncio.timeout(20):
        reason = await failure(bot, within_s=2.0, request_timeout_s=0.6, retries=10)
    assert reason.startswith("the bot at BOT did not answer within 0.")
    assert 2 <= len(bot.requests) <= 4


async def test_one_request_has_no_more_time_than_the_answer(bot: BotServer) -> None:
    bot.answering = replies(HANG)
    async with asyncio.timeout(20):
        assert await failure(bot, within_s=1.0, request_timeout_s=30.0) == (
            "the bot at BOT did not answer within 0.95 s"
        )


async def test_a_bot_that_is_not_there_is_tried_again_and_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with asking(f"{url}/turns?key=hidden") as brain:
        with pytest.raises(BrainFailed) as failed:
            await brain.answer(a_turn())
    assert str(failed.value).startswith(f"the bot at {url} cannot be reached")
    assert str(failed.value).endswith("(3 requests)")
    assert "hidden" not in str(failed.value)


async def test_a_name_that_nobody_has_is_a_reason() -> None:
    async with asking("http://bot.invalid/turns", retries=0) as brain:
        with pytest.raises(BrainFailed, match=r"^the bot at http://bot.invalid cannot be reached: "):
            await brain.answer(a_turn())


async def test_a_redirect_is_not_followed(bot: BotServer) -> None:
    async with running_bot() as elsewhere:
        bot.answering = fails(307, location=elsewhere.url)
        reason = await failure(bot)
        assert elsewhere.requests == []
    assert reason == (
        "the bot at BOT answered 307: redirects are not followed; write the address itself into [webhook] url"
    )


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(
            Reply(body=b"<h1>Welcome</h1>", content_type="text/html; charset=utf-8"),
            "the bot at BOT answered text/html where application/json is wanted",
            id="a page",
        ),
        pytest.param(
            Reply(body=b"Thanks!", content_type="text/plain"),
            "the bot at BOT answered text/plain where application/json is wanted",
            id="a text",
        ),
        pytest.param(
            Reply(body=b"{}", content_type="call +15550100123"),
            "the bot at BOT answered something of no known type where application/json is wanted",
            id="a type that is none",
        ),
        pytest.param(
            Reply(body=b"<h1>Welcome</h1>"),
            "the bot's answer is not as it should be: the answer is no JSON",
            id="a page that says it is JSON",
        ),
        pytest.param(
            Reply(body=b""),
            "the bot's answer is not as it should be: the answer is no JSON",
            id="nothing",
        ),
        pytest.param(
            Reply(body=b'{"messages": [' + b'"x",' * 100_000 + b'"x"]}'),
            "the bot at BOT answered more than 262144 bytes",
            id="too much",
        ),
        pytest.param(
            Reply(body=gzip.compress(b'{"messages": ["x"]}'), headers={"Content-Encoding": "gzip"}),
            "the bot at BOT answered compressed, against Accept-Encoding: identity",
            id="compressed",
        ),
        pytest.param(
            Reply(body=b'{"messages": [{"type": "image", "url": "/etc/passwd"}]}'),
            "the bot's answer is not as it should be: messages[0].url is no https URL",
            id="a file of this machine",
        ),
    ],
)
async def test_an_answer_that_is_none_is_a_reason_and_no_text(bot: BotServer, reply: Reply, reason: str) -> None:
    bot.answering = replies(reply)
    assert await failure(bot) == reason
    assert len(bot.requests) == 1


async def test_no_more_is_read_of_an_endless_answer_than_can_be_used(bot: BotServer) -> None:
    bot.answering = replies(Reply(body=b" " * 8_000_000, pieces=100, every_s=0.5))
    async with asyncio.timeout(20):
        assert await failure(bot, request_timeout_s=15.0) == "the bot at BOT answered more than 262144 bytes"


async def test_json_under_another_name_is_json_too(bot: BotServer) -> None:
    body = b'{"messages": ["hi"]}'
    for name in ("application/json; charset=utf-8", "Application/JSON", "application/vnd.shop+json"):
        bot.answering = replies(Reply(body=body, content_type=name))
        assert await answers(bot) == ["hi"]


async def test_a_204_is_an_answer_without_messages(bot: BotServer) -> None:
    bot.answering = replies(Reply(status=204, content_type="text/plain"))
    async with asking(bot.url) as brain:
        assert await brain.answer(a_turn()) == Said()


async def test_silence_is_said(bot: BotServer) -> None:
    bot.answering = says(silent=True)
    async with asking(bot.url) as brain:
        assert await brain.answer(a_turn()) == Said(silent=True)


async def test_rasa_is_asked_again_only_where_it_cannot_have_taken_the_text() -> None:
    async with running_bot(replies([]), secret=None) as bot:
        for trouble, requests in ((fails(503), 2), (fails(502), 1), (hangs_up, 1), (replies(HANG), 1)):
            bot.requests.clear()
            bot.script.append(trouble)
            async with asking(bot.url, form=Form.RASA, environment={}, request_timeout_s=0.5) as brain:
                try:
                    await brain.answer(a_turn())
                except BrainFailed:
                    assert requests == 1
            assert len(bot.requests) == requests


async def test_turns_that_are_given_up_take_no_connection_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_POOLS", 2)
    monkeypatch.setattr(connections, "_EACH", 3)
    everybody = asyncio.Event()

    async def all_together(_request: object) -> object:
        if bot.at_once == 6:
            everybody.set()
        await everybody.wait()
        return {"messages": ["hi"]}

    async with running_bot(replies(HANG)) as bot, asking(bot.url, within_s=20.0, request_timeout_s=15.0) as brain:
        for _ in range(3):
            given_up = [asyncio.create_task(brain.answer(a_turn())) for _ in range(10)]
            await wait_until(lambda: bot.at_once == 6, what="requests with the bot")
            for task in given_up:
                task.cancel()
            await asyncio.gather(*given_up, return_exceptions=True)
            await wait_until(lambda: bot.at_once == 0, what="an end of the requests")
        bot.answering = all_together
        said = await asyncio.gather(*(brain.answer(a_turn()) for _ in range(6)))
        assert [one.messages[0].text for one in said] == ["hi"] * 6


async def test_a_bot_that_was_started_anew_is_asked_again(bot: BotServer) -> None:
    async with asking(bot.url, retries=0) as brain:
        await brain.answer(a_turn())
        bot.stop()
        with pytest.raises(BrainFailed):
            await brain.answer(a_turn())
        bot.start()
        assert (await brain.answer(a_turn("hi"))).messages[0].text == "hi"
