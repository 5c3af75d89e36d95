"""Tools against a real server: what goes out, what may come back, and what never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from harness.model_shop import KEY, Shop, running_shop
from harness.ports import free_port
from parley_brains.tools.calling import Method, Parameter, ParameterType, Tool, ToolFailed, Tools

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def one(tool: Tool, **environment: str) -> AsyncIterator[Tools]:
    tools = Tools({"one": tool}, {"SHOP_KEY": KEY, **environment})
    try:
        yield tools
    finally:
        await tools.close()


def order_status(shop: Shop, **changes: object) -> Tool:
    tool = Tool(
        description="The state of an order.",
        url=f"{shop.url}/orders/{{number}}",
        headers={"Authorization": "Bearer ${SHOP_KEY}"},
        parameters={"number": "its number"},
    )
    return msgspec.structs.replace(tool, **changes)


async def test_the_answer_is_the_servers_text(shop: Shop) -> None:
    async with one(order_status(shop)) as tools:
        answer = await tools.call("one", {"number": "1002"}, key="turn-1")
    assert answer == '{"order": "1002", "state": "delivered"}'
    (asked,) = shop.asked
    assert asked.headers["Idempotency-Key"] == "turn-1"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"


async def test_arguments_arrive_as_they_were_said(shop: Shop) -> None:
    shop.instead = lambda: web.json_response({})
    odd = "a b?c&d=é#%2e😀"
    async with one(order_status(shop, parameters={"number": "n", "note": "o"})) as tools:
        await tools.call("one", {"number": odd, "note": odd}, key="k")
    (asked,) = shop.asked
    path, _, query = asked.path.partition("?")
    encoded = "a%20b%3Fc%26d%3D%C3%A9%23%252e%F0%9F%98%80"
    assert path == f"/orders/{encoded}"
    assert query == f"note={encoded}"


async def test_a_body_is_json_of_the_declared_types(shop: Shop) -> None:
    shop.instead = lambda: web.json_response({})
    parameters: dict[str, str | Parameter] = {
        "number": Parameter(type=ParameterType.INTEGER),
        "weight": Parameter(type=ParameterType.NUMBER),
        "express": Parameter(type=ParameterType.BOOLEAN),
        "note": Parameter(required=False),
    }
    url = f"{shop.url}/returns"
    async with one(order_status(shop, url=url, method=Method.POST, parameters=parameters)) as tools:
        await tools.call("one", {"number": "7", "weight": "1.5", "express": "true"}, key="k")
    assert (shop.asked[0].method, shop.asked[0].body) == ("POST", {"number": 7, "weight": 1.5, "express": True})


ANSWERS: dict[str, Callable[[str], web.Response]] = {
    "it answered 302 (Found)": lambda url: web.Response(status=302, headers={"Location": f"{url}/orders/1001"}),
    "it answered 500 (Internal Server Error)": lambda _: web.Response(status=500, text="trace of secrets"),
    "it answered more than 65536 bytes": lambda _: web.Response(text="x" * 70_000),
    "it answered with text/html": lambda _: web.Response(text="<html>", content_type="text/html"),
    "it answered with image/png": lambda _: web.Response(body=b"\x89PNG", content_type="image/png"),
    "it answered with what is no text": lambda _: web.Response(body=b"\xff\xfe", content_type="text/plain"),
    "in a compressed form": lambda _: web.Response(body=b"x", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("reason", ANSWERS)
async def test_an_answer_that_is_none_is_a_short_error(shop: Shop, reason: str) -> None:
    async with one(order_status(shop)) as tools:
        shop.instead = lambda: ANSWERS[reason](shop.url)
        with pytest.raises(ToolFailed) as failed:
            await tools.call("one", {"number": "1001"}, key="k")
    assert reason in str(failed.value)
    assert len(str(failed.value)) < 120
    assert len(shop.asked) == 1, "no redirect is followed"


async def test_a_long_answer_is_cut_short(shop: Shop) -> None:
    shop.instead = lambda: web.Response(text="é" * 30_000)
    async with one(order_status(shop)) as tools:
        answer = await tools.call("one", {"number": "1001"}, key="k")
    assert answer.startswith("é" * 6_000 + "\n[the rest")


async def test_a_credential_that_comes_back_is_blotted_out(shop: Shop) -> None:
    shop.instead = lambda: web.json_response({"you sent": f"Bearer {KEY}"})
    async with one(order_status(shop)) as tools:
        assert await tools.call("one", {"number": "1001"}, key="k") == '{"you sent": "Bearer •••"}'


async def test_a_cookie_of_one_persons_call_is_not_sent_with_the_next(shop: Shop) -> None:
    shop.instead = lambda: web.Response(text="hello", headers={"Set-Cookie": "session=ada; Path=/"})
    async with one(order_status(shop)) as tools:
        for _ in range(2):
            await tools.call("one", {"number": "1001"}, key="k")
    assert "Cookie" not in shop.asked[1].headers


async def test_a_slow_tool_is_not_waited_for(shop: Shop) -> None:
    shop.delay_s = 30.0
    async with one(order_status(shop, timeout_s=0.3)) as tools:
        with pytest.raises(ToolFailed, match=r"it did not answer within 0\.3 s"):
            await tools.call("one", {"number": "1001"}, key="k")


async def test_a_tool_that_is_not_there_cannot_be_reached() -> None:
    tool = Tool(description="d", url=f"http://127.0.0.1:{free_port()}/")
    async with one(tool) as tools:
        with pytest.raises(ToolFailed, match="it cannot be reached"):
            await tools.call("one", {}, key="k")


async def test_a_tool_that_is_not_declared_is_not_called(shop: Shop) -> None:
    async with one(order_status(shop)) as tools:
        with pytest.raises(ToolFailed, match="there is no such tool"):
            await tools.call("two", {"number": "1001"}, key="k")
    assert not shop.asked


async def test_many_calls_at_once_are_all_answered() -> None:
    async with running_shop() as shop, one(order_status(shop)) as tools:
        shop.delay_s = 0.05
        answers = await asyncio.gather(*(tools.call("one", {"number": "1001"}, key=f"{n}") for n in range(300)))
    assert set(answers) == {'{"order": "1001", "state": "on its way"}'}
